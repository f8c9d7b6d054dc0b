allow { |ctx| ctx.minor == 3 && ctx.major < 2 ** 64 }
