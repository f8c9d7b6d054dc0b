# Made by rucy-devguard import oci from linux.resources.devices of oci-web.json: 13 entries.
# There the last entry that matches an access decides, here the first rule.
# Left out, others decide all it is about: devices[1]
policy "web-1"
default :deny # devices[0]

allow "c 195:0-2,255 rw" # devices[4] to devices[7]
# devices[9]: crun refuses O_RDWR here: no rule by itself has both r and w
allow "b 8:* rw" # devices[8] and devices[9]
allow "c 1:5 rwm" # devices[12]

# What runc and crun give every container, whatever its list says (not with --exact): to make
# any node, the devices every program counts on, its terminals, tun. They put these before
# the list; here what the list says of a single device comes first. Some give less: runc 1.1
# not c 5:1, crun 1.8 not c 10:200.
allow "a *:* m", label: "every container has it"
allow "c 1:7-9 rwm", label: "every container has it"
allow "c 5:0-2 rwm", label: "every container has it"
allow "c 10:200 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"

# devices[10]: crun lets O_RDWR pass here: a rule with w alone does not match it
deny "c 10:229 w" # devices[10]
# devices[11]: runc and crun allow it all the same: every container has it
deny "c 1:3 w" # devices[11]

allow "c 1:3 rwm" # devices[2]
allow "c 10:229 rw" # devices[3]
