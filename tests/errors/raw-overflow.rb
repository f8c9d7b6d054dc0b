license! "GPL"
def prog(ctx)
  x = ctx.major * ctx.minor * ctx.access_type
  x * x
end
