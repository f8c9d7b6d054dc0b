allow :null
deny :hidraw91, label: "not here"
