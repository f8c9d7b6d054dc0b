allow { |ctx| ctx.major == 08 }
