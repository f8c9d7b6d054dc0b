license! "GPL"
def prog(ctx)
  ctx.major == 1
end
