GPUS = [0, 1]
gpu = 3
def nvidia?(c) = c.major == 195
def first?(c) = c.minor == gpu
allow { |ctx| GPU.include?(ctx.minor) }
allow { |ctx| nvida?(ctx) }
allow { |ctx| ctx.minor == gpus }
allow { |ctx| first?(ctx) }
allow { |ctx| ctx.type.char? }
allow { |ctx| nil.major }
