# Made by rucy-devguard import proxmox from proxmox-closed.conf: 2 entries.
# There the last entry that matches an access decides, here the first rule.
policy "proxmox-closed"
default :deny # line 3

allow "c 1:3 rw" # line 4
