# Lesson 4 with events instead of lines: numbers stay numbers.
license! "GPL"
section! "tracepoint/syscalls/sys_enter_sync"

LAST = table :u32 => :u64
QUICK = ring pid: :u32, time: :u64, delta: :u64

def prog(ctx)
  now = ktime_ns
  if (before = LAST[0])
    delta = now - before
    QUICK << {pid: pid, time: now, delta: delta} if delta < 1_000_000_000
  end
  LAST[0] = now
  return 0
end

puts "Tracing quick syncs... Ctrl-C to end."

start = nil
on(QUICK) do |sync|
  start ||= sync.time
  seconds = (sync.time - start) / 1_000_000_000.0
  puts format("At time %.2f s: multiple syncs by %d, the last %d ms ago", seconds, sync.pid, sync.delta / 1_000_000)
end
