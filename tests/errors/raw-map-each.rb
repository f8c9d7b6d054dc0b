license! "GPL"
COUNTS = table :pid => :u64
def prog(ctx)
  COUNTS.each { |k, v| }
  1
end
