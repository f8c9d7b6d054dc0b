# Made by rucy-devguard import lxc from lxc-v1-and-v2.conf: 2 entries.
# There the last entry that matches an access decides, here the first rule.
# Not taken, as LXC reads them on cgroup v1 only: 1 lxc.cgroup.devices line, from lxc-v1-and-v2.conf:3 on.
policy "lxc-v1-and-v2"
default :deny # line 1

allow "c 1:3 rwm" # line 2
