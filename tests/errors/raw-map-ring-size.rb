license! "GPL"
EVENTS = ring pid: :u32, size: 5000
def prog(ctx)
  1
end
