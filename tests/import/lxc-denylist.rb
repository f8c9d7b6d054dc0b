# Made by rucy-devguard import lxc from lxc-denylist.conf: 2 entries.
# There the last entry that matches an access decides, here the first rule.
# Only lxc.cgroup.devices keys, of cgroup v1. On cgroup v2 LXC 5 and 6 pass over them and deny nothing, LXC 7 refuses them.
policy "lxc-denylist"
default :allow

allow "b 7:* w" # line 2

deny "b *:* w" # line 1
