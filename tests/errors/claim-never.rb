default :allow
deny "b 8:*", access: "w"

never "b 8:0-15", access: "w"
never "b 8:*",
      label: "no raw disks"
