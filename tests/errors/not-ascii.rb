NAME = "é"
allow { |ctx| NAME.size == ctx.minor }
