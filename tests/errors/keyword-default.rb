def near?(minor, first: 0, last: first + 8) = (first..last).cover?(minor)
allow { |ctx| near?(ctx.minor, first: 3) }
