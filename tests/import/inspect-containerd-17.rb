# Made by rucy-devguard import oci from linux.resources.devices of inspect-containerd-17.json: 11 entries.
# There the last entry that matches an access decides, here the first rule.
policy "inspect-containerd-17"
default :deny # devices[0]

allow "c 1:3,5,7-9 rwm" # 5 entries, devices[1] to devices[6]
allow "c 5:0-2 rwm" # 3 entries, devices[4] to devices[9]
allow "c 136:* rwm" # devices[8]
allow "c 10:229 rwm" # devices[10]

# What runc and crun give every container, whatever its list says (not with --exact): to make
# any node, the devices every program counts on, its terminals, tun. They put these before
# the list; here what the list says of a single device comes first. Some give less: runc 1.1
# not c 5:1, crun 1.8 not c 10:200.
allow "a *:* m", label: "every container has it"
allow "c 10:200 rwm", label: "every container has it"
