# Made by rucy-devguard import systemd from systemd-strict.slice: 1 entry.
policy "systemd-strict"
default :deny

allow "/dev/null rw" # line 3
