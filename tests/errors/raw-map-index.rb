license! "GPL"
A = array 4
def prog(ctx)
  A[4] += 1
  1
end
