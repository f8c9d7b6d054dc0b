# The devices of a rule bound its block.
GPUS = 0b10110001

allow("c 226:128-135") { |ctx| GPUS >> (ctx.minor - 128) & 1 == 1 }
allow("b 8:0,16", "b 65:32-47 r") { |ctx| 1 << ctx.minor / 16 & 0b101 != 0 && 100 / (ctx.major - 7) >= 1 }
allow(:ttyUSB3, "c 189:5") { |ctx| [:a, :b, :c][5 - ctx.minor] != :c }
allow("c 10-12:*") { |ctx| ctx.block? ? nil.nothing : 1 << (ctx.major - 10) == 2 }
