# Made by rucy-devguard import quadlet from quadlet-privileged.container: 0 entries.
# EVERY DEVICE IS ALLOWED: the container is privileged: its runtime filters nothing.
policy "quadlet-privileged"
default :allow
