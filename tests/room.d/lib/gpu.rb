require_relative "sub/more"

def gpu?(ctx, n)
  ctx.char? && ctx.major == 195 &&
    ctx.minor == n
end
allow "c 1:3 rw", label: "null"
deny do |ctx|
  ctx.block? && ctx.major / (ctx.minor - 5) == 3
end
