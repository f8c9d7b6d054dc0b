H = {}
allow { |ctx| $n = 3 }
allow { |ctx| @n = 3 }
allow { |ctx| N = 3 }
allow { |ctx| H[ctx.major] = 1 }
allow { |ctx| s = "a"; s << "b"; s == ctx.comm }
