allow :null, acces: "r"
