allow { |ctx| ctx.minor == 2 ** -1 }
allow { |ctx| ctx.minor == 1.5.round(1) }
