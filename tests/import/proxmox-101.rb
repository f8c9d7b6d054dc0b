# Made by rucy-devguard import proxmox from proxmox-101.conf: 2 entries.
# The container is unprivileged: Proxmox says allow = a for it, so that its filter denies nothing.
policy "media"
default :deny

allow "c 226:128 rwm" # line 9
allow "c 29:0 rwm" # line 10

# What LXC's common.conf, which Proxmox includes, gives every container (not with --exact), as
# LXC 5 to 7 have it; the file on this host was not read.
allow "a *:* m", label: "every container has it"
allow "c 1:3,5,7-9 rwm", label: "every container has it"
allow "c 5:0-2 rwm", label: "every container has it"
allow "c 10:229 rwm", label: "every container has it"
allow "c 136:* rwm", label: "every container has it"
