# As lesson 4, and all calls are counted, the slow ones too.
license! "GPL"
section! "tracepoint/syscalls/sys_enter_sync"

LAST = table :u32 => :u64
CALLS = array 1

def prog(ctx)
  CALLS[0] += 1
  now = ktime_ns
  if (before = LAST[0])
    delta = now - before
    printk("multiple syncs, the last %d ms ago", delta / 1_000_000) if delta < 1_000_000_000
  end
  LAST[0] = now
  return 0
end

on(:line) { |line| puts line.text }

at_exit { puts "sync() was called #{CALLS[0]} times" }
