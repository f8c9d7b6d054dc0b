HALF = 0.5
LIMIT = HALF / 3
allow { |ctx| ctx.minor > LIMIT }
