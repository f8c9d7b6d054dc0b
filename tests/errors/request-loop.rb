allow { |ctx| i = 0; i += 1 while i < ctx.minor; i == 3 }
