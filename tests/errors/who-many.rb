allow { |ctx| ctx.in_group?(1) || ctx.in_group?(1) || ctx.under?("/") }
allow { |ctx| (0...10).any? { |g| ctx.in_group?(g) } && ctx.capable?(:chown) && ctx.under?("/a") }
allow { |ctx| (10...18).any? { |g| ctx.in_group?(g) } }
allow { |ctx| ctx.in_group?(17) }
allow { |ctx| ctx.in_group?(18) }
