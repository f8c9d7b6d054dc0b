allow { |ctx| 1.times { return true if ctx.major == 1 }; false }
