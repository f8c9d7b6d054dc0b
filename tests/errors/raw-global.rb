license! "GPL"
def prog(ctx)
  $x = 1
end
