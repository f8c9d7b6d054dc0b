# What bench compiles: twenty lines of policy. twenty.c is the same in C.
policy "twenty"

GPUS = [0, 1, 2, 255]

def terminal?(ctx)
  ctx.char? && (ctx.major == 136 || (ctx.major == 5 && ctx.minor < 3))
end

deny "a *:* m", label: "no new nodes"
allow :null, :zero, :full, :random, :urandom, access: "rw"
allow(label: "terminals") { |ctx| terminal?(ctx) }
allow "b 8:0-15 r", label: "the first disk"
allow(label: "its GPUs") do |ctx|
  ctx.char? && ctx.major == 195 && GPUS.include?(ctx.minor)
end

allow(label: "even render nodes") do |ctx|
  ctx.char? && ctx.major == 226 && ctx.minor >= 128 && ctx.minor % 2 == 0
end
