license! "GPL"
section! "raw_tracepoint/sys_enter"
LAST = table :pid => :u64
def prog(ctx)
  ktime_ns - LAST[pid]
end
