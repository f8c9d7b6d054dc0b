PAIRS = [[1, 3], [1, 5]]
allow { |ctx| PAIRS.any? { |major,| major == ctx.major } }
