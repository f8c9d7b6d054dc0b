allow { |ctx| ctx.major.equal?(8.0) }
