license! "GPL"
COUNTS = table :pid => :u64
def prog(ctx)
  n = (COUNTS[1] += 1)
  n > 5 ? 0 : 1
end
