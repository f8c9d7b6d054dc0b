license! "GPL"
never "b *:*"
def prog(ctx)
  1
end
