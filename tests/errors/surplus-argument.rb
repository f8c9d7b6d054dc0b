allow { |ctx| ctx.comm.size(3) || true }
