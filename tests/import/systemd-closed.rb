# Made by rucy-devguard import systemd from systemd-closed.service: 4 entries.
policy "systemd-closed"
default :deny

allow "c 81:0 rw" # line 16
allow "b 7:0 r" # line 17
allow "char-pts r" # line 18
allow "/dev/full rwm" # line 19

# What systemd allows beside the list, unless DevicePolicy=strict (not with --exact).
allow "c 1:3,5,7-9 rwm", label: "every unit has it"
allow "c 5:0,2 rwm", label: "every unit has it"
allow "c 136:* rw", label: "every unit has it"
