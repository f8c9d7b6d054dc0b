# Made by rucy-devguard import slurm from slurm-gres.conf: 4 entries.
# Slurm gives a job only those of the devices of gres.conf that it was allocated.
# Slurm filters nothing unless cgroup.conf has ConstrainDevices=yes, and then leaves every device open that no gres.conf names.
policy "slurm-gres"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# allow "/dev/tty03 rwm", missing: :skip # line 3: no such file: "/dev/tty03"
# allow "/dev/no-such0 rwm", missing: :skip # line 6: no such file: "/dev/no-such0"
# allow "/dev/no-such1 rwm", missing: :skip # line 6: no such file: "/dev/no-such1"

allow "c 4:0-1 rwm" # line 3, /dev/tty0 here and line 3, /dev/tty1 here
allow "c 10:229 rwm" # line 5, /dev/fuse here
allow "c 1:5 rwm" # line 5, /dev/zero here
