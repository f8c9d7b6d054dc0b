allow { |ctx| ctx.comm =~ /x/ }
allow { |ctx| /x/.match?(ctx.comm) }
allow { |ctx| case ctx.comm when /x/ then true end }
allow { |ctx| ctx.comm.match?("x") }
