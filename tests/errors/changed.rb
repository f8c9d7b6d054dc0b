# A block sees the last value of a variable: each that changed is told.
x = 1
y = 2
allow("c 1:*") { |ctx| ctx.minor == x }
x = 2
allow("c 1:*") { |ctx| ctx.minor == y }
y = 3
allow { |ctx| ctx.nope }
