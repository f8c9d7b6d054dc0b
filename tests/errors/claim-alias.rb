alias always policy
allow :null
