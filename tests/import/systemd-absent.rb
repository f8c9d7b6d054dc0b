# Made by rucy-devguard import systemd from systemd-absent.service: 0 entries.
policy "systemd-absent"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# allow "block-no-such-driver rwm", missing: :skip # line 3: no block device group "no-such-driver" in /proc/devices
# allow "/dev/no-such-device-at-all rw", missing: :skip # line 4: no such file: "/dev/no-such-device-at-all"

# What systemd allows beside the list, unless DevicePolicy=strict (not with --exact).
allow "c 1:3,5,7-9 rwm", label: "every unit has it"
allow "c 5:0,2 rwm", label: "every unit has it"
allow "c 136:* rw", label: "every unit has it"
