allow :null
never "b *:*", acces: "w"
