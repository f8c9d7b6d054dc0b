audit(:all) { deny "c 1:3" }
allow :null
