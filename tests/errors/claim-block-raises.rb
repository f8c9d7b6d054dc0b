allow :null
never("b *:*") { |ctx| 16 / ctx.minor == 2 }
