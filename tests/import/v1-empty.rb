# Made by rucy-devguard import v1 from v1-empty.list: 0 entries.
# EVERY DEVICE IS ALLOWED: nothing in it is about devices, which --empty-is-allow takes as meant.
policy "v1-empty"
default :allow
