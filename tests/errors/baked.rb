gpu = param :gpu, 3
slot = param :slot, 0, in: 0..15
allow { |ctx| ctx.minor == ctx.gpu }
allow { |ctx| ctx.minor == ctx.slt }
