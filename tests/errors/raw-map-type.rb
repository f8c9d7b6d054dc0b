license! "GPL"
COUNTS = table :pid => :u46
def prog(ctx)
  1
end
