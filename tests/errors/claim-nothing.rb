allow :null
never label: "no raw disks"
