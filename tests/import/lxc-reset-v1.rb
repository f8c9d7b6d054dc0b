# Made by rucy-devguard import lxc from lxc-reset-v1.conf: 2 entries.
# There the last entry that matches an access decides, here the first rule.
policy "lxc-reset-v1"
default :deny # line 1

allow "c 1:3 rwm" # line 2
