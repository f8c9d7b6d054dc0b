license! "GPL"
EVENTS = ring pid: :u32
def prog(ctx)
  EVENTS << 5
  1
end
