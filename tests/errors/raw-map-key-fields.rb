license! "GPL"
COUNTS = table [:major, :minor] => :u64
def prog(ctx)
  COUNTS[ctx.minor] += 1
  1
end
