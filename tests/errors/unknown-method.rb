allow { |ctx| ctx.majr == 1 }
