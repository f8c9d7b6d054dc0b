license! "GPL"
def prog(ctx)
  i = ctx.minor
  i -= 1 while i > 0
  1
end
