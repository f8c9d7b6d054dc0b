# Made by rucy-devguard import lxc from lxc-reset-all.conf: 1 entry.
policy "lxc-reset-all"
default :deny

allow "c 1:5 rwm" # line 4
