deny { |ctx| ([0] * 1000000000).size == ctx.major }
