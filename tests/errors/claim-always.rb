deny(:null) { |ctx| ctx.uid == 65534 }
allow :null, access: "rw", label: "sink"

always :null, access: "rw", label: "everybody has /dev/null"
always :null, access: "m"
