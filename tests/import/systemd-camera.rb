# Made by rucy-devguard import systemd from systemd-camera.socket: 1 entry.
policy "systemd-camera"
default :deny

allow "/dev/null rw" # line 7
