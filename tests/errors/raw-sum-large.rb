license! "GPL"
A = array 4, :u32
def prog(ctx)
  A[2] += 0x1_0000_0001
  1
end
