allow { |ctx| "abc".upcase(:ascii, 2) == ctx.comm }
allow { |ctx| "abc".index == ctx.minor }
allow { |ctx| 5.to_s(2, 3) == "x" && ctx.read? }
