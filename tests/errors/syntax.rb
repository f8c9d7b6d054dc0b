allow { |ctx| ctx.major == 
