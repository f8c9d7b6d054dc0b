# A line for every new process.
license! "GPL"
section! "tracepoint/sched/sched_process_fork"

def prog(ctx)
  bpf_trace_printk("Hello, World!")
  return 0
end
