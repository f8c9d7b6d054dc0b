# Made by rucy-devguard import lxc from lxc-quotes.conf: 4 entries.
# There the last entry that matches an access decides, here the first rule.
policy "lxc-quotes"
default :deny # line 2

allow "c 1:3 rw" # line 3
allow "c 1:5,7 r" # line 4 and line 5, /dev/full here
