never "b *:*", label: "no raw disks"
