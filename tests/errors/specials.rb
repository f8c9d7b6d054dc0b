X = $PROGRAM_NAME
allow { |ctx| $! || ctx.char? }
