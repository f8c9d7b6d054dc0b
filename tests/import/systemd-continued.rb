# Made by rucy-devguard import systemd from systemd-continued.service: 4 entries.
policy "systemd-continued"
default :deny

allow "c 1-4:* r" # line 5 to line 13
