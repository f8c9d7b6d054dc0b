# Made by rucy-devguard import docker from docker-run.sh: 5 entries.
policy "home"
default :deny

allow "c 10:229 rw" # line 7, /dev/fuse here
allow "c 10:200 rwm" # line 7, /dev/net/tun here
allow "c 188:* rwm" # line 8
allow "c 166:* rw" # line 8
allow "c 1:5 r" # line 8, /dev/zero here

# What runc and crun give every container, whatever its list says (not with --exact): to make
# any node, the devices every program counts on, its terminals, tun. They put these before
# the list; here what the list says of a single device comes first. Some give less: runc 1.1
# not c 5:1, crun 1.8 not c 10:200.
allow "a *:* m", label: "every container has it"
allow "c 1:3,5,7-9 rwm", label: "every container has it"
allow "c 5:0-2 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"
