license! "GPL"
CELLS = array 0
def prog(ctx)
  1
end
