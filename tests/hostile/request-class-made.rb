allow { |ctx| ctx.class.allocate.major == 1 }
