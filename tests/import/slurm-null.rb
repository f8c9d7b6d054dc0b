# Made by rucy-devguard import slurm from slurm-null.conf: 1 entry.
# Slurm leaves every device open that no gres.conf names.
policy "slurm-null"
default :deny

allow "c 1:3 rwm" # line 1, /dev/null here
