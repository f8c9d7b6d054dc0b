allow { |ctx| ctx.type == "char" }
allow { |ctx| ctx.major == "1" }
allow { |ctx| case ctx.minor when "2" then true end }
allow { |ctx| %w[block].include?(ctx.type) }
allow { |ctx| ctx.comm == :qemu }
allow { |ctx| ctx.access == "r" }
allow { |ctx| ctx.type == :chr }
allow { |ctx| ctx.comm == "a-name-of-18-bytes" }
allow { |ctx| ctx.majr == 1 }
