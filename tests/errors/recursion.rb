def f(x) = f(x + 1)
allow { |ctx| f(1) }
