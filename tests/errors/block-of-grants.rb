allow :null
grants(:allowed) { 1 }
