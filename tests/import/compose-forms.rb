# Made by rucy-devguard import compose from compose-forms.yaml: 5 entries.
policy "forms"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# "vendor.example/class=one" # line 13: no specification in /etc/cdi or /var/run/cdi has the device "vendor.example/class=one"
# allow "/dev/no-such-device-at-all rw", missing: :skip # line 14: no such file: "/dev/no-such-device-at-all"

allow "c 10:229 rwm" # line 6, /dev/fuse here
allow "c 1:3 rwm" # line 7, /dev/null here
allow "c 1:5,8 r" # 2 entries, line 8, /dev/zero here to line 10, /dev/random here
allow "c 1:7 rw" # line 9, /dev/full here

# What runc and crun give every container, whatever its list says (not with --exact): to make
# any node, the devices every program counts on, its terminals, tun. They put these before
# the list; here what the list says of a single device comes first. Some give less: runc 1.1
# not c 5:1, crun 1.8 not c 10:200.
allow "a *:* m", label: "every container has it"
allow "c 1:5,8-9 rwm", label: "every container has it"
allow "c 5:0-2 rwm", label: "every container has it"
allow "c 10:200 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"
