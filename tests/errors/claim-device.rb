allow :null
never "b *:* rx"
