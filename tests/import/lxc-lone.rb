# Made by rucy-devguard import lxc from lxc-lone.conf: 1 entry.
# On cgroup v2 LXC leaves every device open: deny = a alone makes no program.
policy "lxc-lone"
default :deny # line 1
