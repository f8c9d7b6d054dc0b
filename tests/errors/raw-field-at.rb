license! "GPL"
section! "tracepoint/sched/sched_switch"
class Ctx
  attr :next_pid, :s32, at: 57
end
def prog(ctx)
  ctx.next_pid
end
