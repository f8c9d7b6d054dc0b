license! "GPL"
default :allow
def prog(ctx)
  1
end
