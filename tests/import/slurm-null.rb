# Made by rucy-devguard import slurm from slurm-null.conf: 1 entry.
# cgroup.conf(5) of Slurm 22.05 does not know this list.
# Slurm filters nothing unless cgroup.conf has ConstrainDevices=yes, and then leaves every device open that no gres.conf names.
policy "slurm-null"
default :deny

allow "c 1:3 rwm" # line 1, /dev/null here
