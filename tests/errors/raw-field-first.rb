license! "GPL"
section! "tracepoint/sched/sched_switch"
class Ctx
  attr :type, :u16
end
def prog(ctx)
  ctx.type
end
