license! "GPL"
EVENTS = ring
def prog(ctx)
  1
end
