# Made by rucy-devguard import lxc from lxc-deny-letters.conf: 5 entries.
# There the last entry that matches an access decides, here the first rule.
policy "lxc-deny-letters"
default :allow # line 1

# line 5: LXC does not take it on cgroup v2: with allow = a only deny lines count, before it too
allow "c 1:7 r" # line 5

# line 2: LXC denies access(F_OK)
deny "c 1:3 rw" # line 2
# line 3: LXC lets O_RDWR pass here: a rule with w alone does not match it; LXC denies access(F_OK)
deny "c 1:5 w" # line 3
deny "c 1:7 rwm" # line 4
