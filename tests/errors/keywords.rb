def f(a:, b: 1) = a > b
allow { |ctx| f(a: ctx.major, c: 2) }
allow { |ctx| f(b: ctx.major) }
allow { |ctx| f(ctx.major) }
allow { |ctx| ctx.major.between?(1, max: 3) }
