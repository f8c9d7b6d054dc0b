# Made by rucy-devguard import lxc from lxc-denylist-v2.conf: 1 entry.
# On cgroup v2 LXC denies everything else too: no line says allow = a.
policy "lxc-denylist-v2"
default :deny

# line 1: LXC does not enforce it on cgroup v2: it takes allow lines only
deny "c 1:5 rwm" # line 1
