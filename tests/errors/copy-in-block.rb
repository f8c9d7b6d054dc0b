code = proc { |n| n }
allow { |ctx| code.dup.call(ctx.major) == 1 }
