# Made by rucy-devguard import lxc from lxc-whole.conf: 3 entries.
# There the last entry that matches an access decides, here the first rule.
# Left out, others decide all it is about: line 1
# Left out, others decide all it is about: line 2
# line 3: LXC does not start with it: it takes a alone
policy "lxc-whole"
default :allow # line 3
