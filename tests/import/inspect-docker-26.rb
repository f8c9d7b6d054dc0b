# Made by rucy-devguard import inspect from inspect-docker-26.json: 6 entries.
policy "devs"
default :deny

allow "c 10:229 r" # Devices[0], /dev/fuse here
allow "c 1:5 rwm" # Devices[1], /dev/zero here
allow "c 188:* rw" # DeviceCgroupRules[0]
allow "c 20:* r" # DeviceCgroupRules[1]
# DeviceCgroupRules[2]: runc refuses O_RDWR here: no rule by itself has both r and w
allow "c 20:3 w" # DeviceCgroupRules[2]
allow "b 7:1 rwm" # DeviceCgroupRules[3]

# What runc and crun give every container, whatever its list says (not with --exact): to make
# any node, the devices every program counts on, its terminals, tun. They put these before
# the list; here what the list says of a single device comes first. Some give less: runc 1.1
# not c 5:1, crun 1.8 not c 10:200.
allow "a *:* m", label: "every container has it"
allow "c 1:3,7-9 rwm", label: "every container has it"
allow "c 5:0-2 rwm", label: "every container has it"
allow "c 10:200 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"
