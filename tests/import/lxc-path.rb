# Made by rucy-devguard import lxc from lxc-path.conf: 2 entries.
# There the last entry that matches an access decides, here the first rule.
policy "lxc-path"
default :deny # line 1

# Left out: these lines grant nothing here.
# "/dev/null" # line 3: LXC passes over a path without access letters

allow "c 10:229 rw" # line 2, /dev/fuse here
