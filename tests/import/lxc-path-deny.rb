# Made by rucy-devguard import lxc from lxc-path-deny.conf: 2 entries.
# There the last entry that matches an access decides, here the first rule.
policy "lxc-path-deny"
default :allow # line 1

# line 2, /dev/zero here: LXC passes over it: only a line that allows takes a path
deny "c 1:5 rw" # line 2, /dev/zero here
