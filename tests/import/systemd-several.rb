# Made by rucy-devguard import systemd from systemd-several.service: 1 entry.
policy "camera-dev-net-tun"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# allow "/dev/cpu%weird rwm", missing: :skip # line 23: no such file: "/dev/cpu%weird"

allow "/dev/net/tun rw" # line 22

# What systemd allows beside the list, unless DevicePolicy=strict (not with --exact).
allow "c 1:3,5,7-9 rwm", label: "every unit has it"
allow "c 5:0,2 rwm", label: "every unit has it"
allow "c 136:* rw", label: "every unit has it"
