# Made by rucy-devguard import slurm from slurm-allowed.conf: 3 entries.
# cgroup.conf(5) of Slurm 22.05 does not know this list.
# Slurm filters nothing unless cgroup.conf has ConstrainDevices=yes, and then leaves every device open that no gres.conf names.
policy "slurm-allowed"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# allow "/dev/no-such-device* rwm", missing: :skip # line 5: no device is called "/dev/no-such-device*"

allow "c 1:3 rwm" # line 1, /dev/null here
allow "c 5:0 rwm" # line 3, /dev/tty here
allow "c 10:200 rwm" # line 4, /dev/net/tun here
