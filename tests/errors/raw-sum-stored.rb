license! "GPL"
A = table :u32 => :u64
def prog(ctx)
  A[1] = A[0] += 1
  1
end
