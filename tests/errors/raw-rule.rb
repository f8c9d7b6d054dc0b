license! "GPL"
allow :null
def prog(ctx)
  1
end
