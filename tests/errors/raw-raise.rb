license! "GPL"
def prog(ctx)
  10 / ctx.minor
end
