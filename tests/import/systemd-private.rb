# Made by rucy-devguard import systemd from systemd-private.service: 0 entries.
# PrivateDevices=yes makes it DevicePolicy=closed.
policy "systemd-private"
default :deny

# What systemd allows beside the list, unless DevicePolicy=strict (not with --exact).
allow "c 1:3,5,7-9 rwm", label: "every unit has it"
allow "c 5:0,2 rwm", label: "every unit has it"
allow "c 136:* rw", label: "every unit has it"
