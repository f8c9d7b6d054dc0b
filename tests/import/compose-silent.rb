# Made by rucy-devguard import compose from compose-silent.yaml: 0 entries.
# EVERY DEVICE IS ALLOWED: nothing in it is about devices, which --empty-is-allow takes as meant.
policy "web"
default :allow
