allow :null
nevr "b *:*"
