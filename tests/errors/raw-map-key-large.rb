license! "GPL"
COUNTS = table :u8 => :u64
def prog(ctx)
  COUNTS[ctx.minor] += 1
  1
end
