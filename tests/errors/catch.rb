allow { |ctx| catch(:x) { throw :x, true } }
