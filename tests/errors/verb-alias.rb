alias deny allow
deny "c 1:3"
