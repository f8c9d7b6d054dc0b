license! "GPL"
def prog(ctx)
  return 0 if ctx.major == 1
end
