# Made by rucy-devguard import compose from compose-privileged.yaml: 0 entries.
# EVERY DEVICE IS ALLOWED: the container is privileged: its runtime filters nothing.
policy "all"
default :allow
