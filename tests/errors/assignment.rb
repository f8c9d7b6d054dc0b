allow { |ctx| ctx.major = 3 }
allow { |ctx| if ctx.minor = 3 then true end }
