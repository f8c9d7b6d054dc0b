section! "tracepoint/sched_switch"
def prog(ctx)
  1
end
