license! "GPL"
COUNTS = table :comm => :u64
def prog(ctx)
  COUNTS[ctx.minor] += 1
  1
end
