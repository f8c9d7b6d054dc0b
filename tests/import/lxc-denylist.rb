# Made by rucy-devguard import lxc from lxc-denylist.conf: 2 entries.
# There the last entry that matches an access decides, here the first rule.
policy "lxc-denylist"
default :allow

allow "b 7:* w" # line 2

deny "b *:* w" # line 1
