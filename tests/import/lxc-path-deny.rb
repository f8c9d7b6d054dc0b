# Made by rucy-devguard import lxc from lxc-path-deny.conf: 2 entries.
# There the last entry that matches an access decides, here the first rule.
policy "lxc-path-deny"
default :allow # line 1

deny "c 1:5 rw" # line 2, /dev/zero here
