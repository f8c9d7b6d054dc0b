# Made by rucy-devguard import lxc from lxc-path-absent.conf: 0 entries.
# On cgroup v2 LXC leaves every device open: it passes over every line.
policy "lxc-path-absent"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# allow "/dev/no-such-device-at-all rw", missing: :skip # line 1: no such file: "/dev/no-such-device-at-all"
