# Made by rucy-devguard import lxc from lxc-comments.conf: 7 entries.
# There the last entry that matches an access decides, here the first rule.
policy "lxc-comments"
default :deny # line 2

allow "c 1:3,5 rwm" # line 3 and line 4
# line 7: LXC passes over it: only behind three letters may a comment stand
allow "c 1:7-9 rw" # line 5 to line 7
# line 8: LXC passes over it: more than one blank between its parts
allow "c 1:11 r" # line 8
