# Made by rucy-devguard import oci from linux.resources.devices of oci-existence.json: 5 entries.
# There the last entry that matches an access decides, here the first rule.
policy "oci-existence"
default :allow # devices[0]

# devices[1]: runc denies access(F_OK)
deny "c 10:229 rw" # devices[1]
# devices[2]: runc and crun let O_RDWR pass here: a rule with w alone does not match it; runc denies access(F_OK)
deny "c 10:230 w" # devices[2]
# devices[3]: crun lets the node be made: every container may
deny "b 7:3 rwm" # devices[3]
# devices[4]: runc does not start with it, crun passes over it: access is missing
deny "c 20:3 rwm" # devices[4]
