# Made by rucy-devguard import systemd from systemd-beside.service: 1 entry.
policy "systemd-beside"
default :deny

allow "c 1:* r" # line 3
