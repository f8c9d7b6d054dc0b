license! "GPL"
section! "tracepoint/sched/sched_switch"
def prog(ctx)
  ctx.prev_pid
end
