allow { |ctx| ctx.minor * 1.5 > 3 }
