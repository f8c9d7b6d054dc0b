license! "GPL"
NAMES = table :pid => :comm
def prog(ctx)
  1
end
