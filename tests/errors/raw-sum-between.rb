license! "GPL"
A = table :u32 => :u64
def prog(ctx)
  A[2] += (A[2] = 5; 1)
  1
end
