deny { |ctx| (["a" * 100000] * 100000).join.size == ctx.major }
