license! "GPL"
def prog(ctx)
  ctx.size
end
