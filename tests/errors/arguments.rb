def nvidia?(c) = c.major == 195
def near?(c, by = 1) = c.minor < by
allow { |ctx| nvidia? }
allow { |ctx| near? }
allow { |ctx| ctx.major.between?(1) }
allow { |ctx| [1, 2].include?(ctx.major, 3) }
allow { |ctx| ctx.major(3) }
allow { |ctx| { 1 => 2 }.key?(ctx.major, 3) }
allow { |ctx| ctx.comm.include? }
allow { |ctx| ctx.major < "1" }
allow { |ctx| ctx.major + "1" == 3 }
allow { |ctx| ctx.comm.start_with?(3) }
