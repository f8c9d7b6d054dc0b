# Made by rucy-devguard import proxmox from proxmox-snapshot.conf: 3 entries.
# There the last entry that matches an access decides, here the first rule.
# Snapshots and pending changes are not taken.
# Not taken, as LXC reads them on cgroup v1 only: 1 lxc.cgroup.devices line, from proxmox-snapshot.conf:12 on.
policy "web-1"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# allow "/dev/no-such-device-at-all rw", missing: :skip # line 4: no such file: "/dev/no-such-device-at-all"

allow "c 10:229 r" # line 5, /dev/fuse here
allow "c 81:* rw" # line 10

# What LXC's common.conf, which Proxmox includes, gives every container (not with --exact), as
# LXC 5 to 7 have it; the file on this host was not read.
allow "a *:* m", label: "every container has it"
allow "c 1:3,5,7,9 rwm", label: "every container has it"
allow "c 5:0,2 rwm", label: "every container has it"
allow "c 10:229 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"

# line 11: LXC does not enforce it on cgroup v2: it takes allow lines only
deny "c 1:8 w" # line 11

# The rest of what every container has.
allow "c 1:8 rwm", label: "every container has it"
