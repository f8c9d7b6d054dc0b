allow { |ctx| ctx.in_group?("no-such-group-here") }
allow { |ctx| ctx.in_group?("roott") }
allow { |ctx| ctx.in_group?("44") }
allow { |ctx| ctx.in_group?(-1) }
allow { |ctx| ctx.in_group?(4294967295) }
allow { |ctx| ctx.in_group?(nil) }
allow { |ctx| ctx.in_group?(4.0) }
allow { |ctx| ctx.in_group?(ctx.minor) }
allow { |ctx| ctx.in_group? }
allow { |ctx| ctx.in_group?(1, 2) }
allow { |ctx| ctx.groups.include?(44) }
allow { |ctx| ctx.in_group(44) }
allow { |ctx| ctx.in_group?("a\0b") }
allow { |ctx| ctx.in_group?("") }
