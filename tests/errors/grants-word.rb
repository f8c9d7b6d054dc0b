grants :allow
allow :null
