# Made by rucy-devguard import oci from linux.resources.devices of oci-notes.json: 17 entries.
# There the last entry that matches an access decides, here the first rule.
policy "oci-notes"
default :deny # devices[0]

# devices[2]: crun refuses O_RDWR here: no rule by itself has both r and w
# devices[4]: crun refuses O_RDWR here: no rule by itself has both r and w
# devices[6]: crun refuses O_RDWR here: no rule by itself has both r and w
# devices[8]: crun refuses O_RDWR here: no rule by itself has both r and w
# and so for 2 more
allow "b 8-9:1-3 rw" # devices[1] to devices[12]
# devices[14]: crun refuses O_RDWR here: no rule by itself has both r and w
# devices[16]: crun refuses O_RDWR here: no rule by itself has both r and w
allow "b 11:0,2 rw" # devices[13] to devices[16]

# What runc and crun give every container, whatever its list says (not with --exact): to make
# any node, the devices every program counts on, its terminals, tun. They put these before
# the list; here what the list says of a single device comes first. Some give less: runc 1.1
# not c 5:1, crun 1.8 not c 10:200.
allow "a *:* m", label: "every container has it"
allow "c 1:3,5,7-9 rwm", label: "every container has it"
allow "c 5:0-2 rwm", label: "every container has it"
allow "c 10:200 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"
