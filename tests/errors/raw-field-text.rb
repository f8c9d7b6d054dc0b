license! "GPL"
section! "tracepoint/sched/sched_switch"
class Ctx
  attr :common, :u64
  attr :prev_comm, :comm
end
def prog(ctx)
  ctx.prev_comm
  0
end
