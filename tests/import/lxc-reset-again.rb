# Made by rucy-devguard import lxc from lxc-reset-again.conf: 2 entries.
# There the last entry that matches an access decides, here the first rule.
policy "lxc-reset-again"
default :deny # lxc/common.conf:2

allow "c 1:5 rw" # line 3
