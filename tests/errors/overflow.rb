allow { |ctx| (1 << ctx.minor) & 6 != 0 }
