n = 0
allow { |ctx| n += 1 }
