# Made by rucy-devguard import oci from linux.resources.devices of oci-open.json: 5 entries.
# There the last entry that matches an access decides, here the first rule.
# Left out, others decide all it is about: devices[0]
# Left out, others decide all it is about: devices[1]
policy "oci-open"
default :allow # devices[2]

# devices[3]: runc and crun let O_RDWR pass here: a rule with w alone does not match it; runc denies access(F_OK)
deny "b *:* w" # devices[3]
# devices[4]: runc does not start with it, crun passes over it: access is missing
deny "c 1:1 rwm" # devices[4]
