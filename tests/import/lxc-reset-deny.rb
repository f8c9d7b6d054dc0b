# Made by rucy-devguard import lxc from lxc-reset-deny.conf: 1 entry.
policy "lxc-reset-deny"
default :deny

allow "c 1:3 rwm" # line 4
