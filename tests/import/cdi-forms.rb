# Made by rucy-devguard import cdi from cdi-forms.yaml: 3 entries.
policy "cdi-forms"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# allow "/dev/no-such-device-at-all rwm", missing: :skip # line 12: no such file: "/dev/no-such-device-at-all"
# "/dev/pipe" # line 13: no access is granted to a node with type u or p
# "/dev/zero" # line 15: no access is granted to a node with permissions none

allow "c 1:3 r" # line 7, /dev/null here
allow "c 10:229 rwm" # line 9, /dev/fuse here
allow "c 1:0 rwm" # line 17

# What runc and crun give every container, whatever its list says (not with --exact): to make
# any node, the devices every program counts on, its terminals, tun. They put these before
# the list; here what the list says of a single device comes first. Some give less: runc 1.1
# not c 5:1, crun 1.8 not c 10:200.
allow "a *:* m", label: "every container has it"
allow "c 1:3,5,7-9 rwm", label: "every container has it"
allow "c 5:0-2 rwm", label: "every container has it"
allow "c 10:200 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"
