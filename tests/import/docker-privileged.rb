# Made by rucy-devguard import docker from docker-privileged.sh: 0 entries.
# EVERY DEVICE IS ALLOWED: the container is privileged: its runtime filters nothing.
policy "docker-privileged"
default :allow
