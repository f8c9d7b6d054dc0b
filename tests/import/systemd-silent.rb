# Made by rucy-devguard import systemd from systemd-silent.service: 0 entries.
# EVERY DEVICE IS ALLOWED: nothing in it is about devices, which --empty-is-allow takes as meant.
policy "systemd-silent"
default :allow
