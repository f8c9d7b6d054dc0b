# Made by rucy-devguard import quadlet from quadlet-web.container: 3 entries.
# Not taken: line 14, which systemd enforces for the service's cgroup, above the container's.
policy "web-cam"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# allow "/dev/no-such-device-at-all rwm", missing: :skip # line 10: no such file: "/dev/no-such-device-at-all", as the '-' allows

allow "c 10:229 rw" # line 10, /dev/fuse here
allow "c 1:5 rwm" # line 10, /dev/zero here
allow "c 188:* rw" # line 11

# What runc and crun give every container, whatever its list says (not with --exact): to make
# any node, the devices every program counts on, its terminals, tun. They put these before
# the list; here what the list says of a single device comes first. Some give less: runc 1.1
# not c 5:1, crun 1.8 not c 10:200.
allow "a *:* m", label: "every container has it"
allow "c 1:3,7-9 rwm", label: "every container has it"
allow "c 5:0-2 rwm", label: "every container has it"
allow "c 10:200 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"
