license! "GPL"
EVENTS = ring pid: :u32, minor: :u32
def prog(ctx)
  EVENTS << {pid: 1}
  1
end
