license! "GPL"
COUNTS = table
def prog(ctx)
  1
end
