allow :null
return
never "b *:*"
