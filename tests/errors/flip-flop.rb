allow { |ctx| true if (ctx.minor == 3)..(ctx.minor == 5) }
