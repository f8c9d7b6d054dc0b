# Made by rucy-devguard import lxc from lxc-absent-directory.conf: 2 entries.
# There the last entry that matches an access decides, here the first rule.
policy "lxc-absent-directory"
default :deny # line 2

allow "c 1:3 rwm" # line 3
