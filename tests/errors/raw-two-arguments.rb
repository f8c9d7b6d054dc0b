license! "GPL"
def prog(ctx, more)
  1
end
