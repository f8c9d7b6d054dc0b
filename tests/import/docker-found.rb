# Made by rucy-devguard import docker from docker-found.sh: 0 entries.
policy "docker-found"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# "vendor.example/gpu=all" # line 1: no specification in /etc/cdi or /var/run/cdi has the device "vendor.example/gpu=all"
# allow "/dev/no-such-device-at-all rwm", missing: :skip # line 1: no such file: "/dev/no-such-device-at-all"

# What runc and crun give every container, whatever its list says (not with --exact): to make
# any node, the devices every program counts on, its terminals, tun. They put these before
# the list; here what the list says of a single device comes first. Some give less: runc 1.1
# not c 5:1, crun 1.8 not c 10:200.
allow "a *:* m", label: "every container has it"
allow "c 1:3,5,7-9 rwm", label: "every container has it"
allow "c 5:0-2 rwm", label: "every container has it"
allow "c 10:200 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"
