# Made by rucy-devguard import systemd from systemd-crlf.service: 1 entry.
policy "systemd-crlf"
default :deny

allow "c 1:* r" # line 4
