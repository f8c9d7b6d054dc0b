# Made by rucy-devguard import lxc from lxc-c1.conf: 7 entries.
# There the last entry that matches an access decides, here the first rule.
# Not taken, as LXC reads them on cgroup v1 only: 1 lxc.cgroup.devices line, from lxc-c1.conf:8 on.
policy "c1"
default :deny # lxc/common.conf:2

allow "c *:* m" # lxc/common.conf:3
allow "c 1:3,5 rwm" # lxc/common.conf:4 and lxc/common.conf:5
allow "b 7:0 r" # line 7

# line 6: LXC does not enforce it on cgroup v2: it takes allow lines only
deny "c 10:229 w" # line 6

allow "c 10:229 rwm" # line 5
