def null?(ctx) = ctx.minor == 3
allow { |ctx| ctx.null?(ctx) }
allow { |ctx| self.null?(ctx) && ctx.format("%d", 1) == "1" }
