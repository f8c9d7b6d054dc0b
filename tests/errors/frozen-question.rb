deny { |ctx| "a".frozen? && ctx.major == 1 }
