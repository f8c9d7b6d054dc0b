TENTH = 0.1
allow { |ctx| ctx.minor > TENTH }
