license! "GPL"
COUNTS_BY_PROCESS = table :pid => :u64
def prog(ctx)
  1
end
