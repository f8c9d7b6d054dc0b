allow :null
never "b *:*", errno: :ENODEV
