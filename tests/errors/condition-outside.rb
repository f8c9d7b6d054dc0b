allow ctx.major == 3
