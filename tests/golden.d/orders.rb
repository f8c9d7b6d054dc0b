# Each order of the inputs is another program, and a denial has an errno.
allow { |ctx| ctx.uid == 1000 && ctx.char? && ctx.major == 195 }
deny "c 10:229 rw", errno: :ENODEV
allow { |ctx| ctx.minor < 4 && ctx.gid == 44 }
