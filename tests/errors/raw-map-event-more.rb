license! "GPL"
EVENTS = ring pid: :u32
def prog(ctx)
  EVENTS << {pid: 1, tid: 2}
  1
end
