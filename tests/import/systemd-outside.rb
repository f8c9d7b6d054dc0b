# Made by rucy-devguard import systemd from systemd-outside.service: 0 entries.
# systemd denies nothing here: it passes over every DeviceAllow= line, and DevicePolicy= is auto.
policy "systemd-outside"
default :deny

# Left out: these lines grant nothing here.
# "/tmp/node rw" # line 2: "/tmp/node" is no path below /dev
# "/dev/../tmp/node rw" # line 3: "/dev/../tmp/node" is no path below /dev

# What systemd allows beside the list, unless DevicePolicy=strict (not with --exact).
allow "c 1:3,5,7-9 rwm", label: "every unit has it"
allow "c 5:0,2 rwm", label: "every unit has it"
allow "c 136:* rw", label: "every unit has it"
