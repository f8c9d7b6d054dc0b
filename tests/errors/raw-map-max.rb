license! "GPL"
COUNTS = table :pid => :u64, max: 0
def prog(ctx)
  1
end
