# Block devices are read, never written, for backup and forensics. Character
# devices are not touched by this policy, with one exception: the SCSI generic
# devices are the same disks, and take any command from whoever opens them.
# bsg and, for NVMe disks, ng are such devices too. Their numbers are the
# host's; where it has them, add: deny "char-bsg", "char-nvme-generic", access: "rw"
policy "readonly-disks"
default :allow

deny "b *:* w", label: "disks are read only"
deny :sg, access: "rw", label: "no SCSI commands past it"
