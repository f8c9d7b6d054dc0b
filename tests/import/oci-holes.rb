# Made by rucy-devguard import oci from linux.resources.devices of oci-holes.json: 8 entries.
# There the last entry that matches an access decides, here the first rule.
policy "oci-holes"
default :deny # devices[0]

allow "c 10:* r" # devices[3]
# devices[4]: runc and crun refuse O_RDWR here: no rule by itself has both r and w
allow "c 10:229 w" # devices[4]

# What runc and crun give every container, whatever its list says (not with --exact): to make
# any node, the devices every program counts on, its terminals, tun. They put these before
# the list; here what the list says of a single device comes first. Some give less: runc 1.1
# not c 5:1, crun 1.8 not c 10:200.
allow "c 1:3,5,7-9 rwm", label: "every container has it"
allow "c 5:0-2 rwm", label: "every container has it"
allow "c 10:200 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"

# devices[2]: runc does not start with it: it cannot take a part out of a wider entry; crun lets O_RDWR pass here: a rule with w alone does not match it
deny "b 7:77 w" # devices[2]
# devices[7]: runc does not start with it, crun passes over it: access is missing
deny "a 99:1 rwm" # devices[7]

allow "b 7:* rw" # devices[1]
# devices[6]: crun refuses O_RDWR here: no rule by itself has both r and w
allow "c 99:* rw" # devices[5] and devices[6]

# The rest of what every container has.
allow "a *:* m", label: "every container has it"
