license! "GPL"
counts = table :pid => :u64
def prog(ctx)
  1
end
