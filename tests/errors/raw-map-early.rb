license! "GPL"
COUNTS = table :pid => :u64
COUNTS[1] = 2
def prog(ctx)
  1
end
