# Who calls sync(2) twice within a second? The time of the last call is kept in a table.
license! "GPL"
section! "tracepoint/syscalls/sys_enter_sync"

LAST = table :u32 => :u64

def prog(ctx)
  now = ktime_ns
  if (before = LAST[0])
    delta = now - before
    printk("multiple syncs, the last %d ms ago", delta / 1_000_000) if delta < 1_000_000_000
  end
  LAST[0] = now
  return 0
end

puts "Tracing quick syncs... Ctrl-C to end."

start = nil
on(:line) do |line|
  start ||= line.time
  puts format("At time %.2f s: %s", (line.time - start) / 1_000_000_000.0, line.text)
end
