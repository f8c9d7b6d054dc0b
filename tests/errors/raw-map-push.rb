license! "GPL"
COUNTS = table :pid => :u64
def prog(ctx)
  COUNTS << 5
  1
end
