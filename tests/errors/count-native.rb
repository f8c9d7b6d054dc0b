allow { |ctx| "abc".upcase(:ascii, 2) == ctx.comm }
allow { |ctx| "abc".index == ctx.minor }
