# Fields: of the event, which the program reads, and of the line, which Ruby prints in columns.
license! "GPL"
section! "tracepoint/syscalls/sys_enter_exit_group"

# As /sys/kernel/tracing/events/syscalls/sys_enter_exit_group/format says it.
class Event
  attr :common, :u64
  attr :call, :s32
  attr :status, :u64
end

def prog(ctx)
  printk("ends with %d", ctx.status & 255)
  return 0
end

puts format("%-18s %-16s %-7s %s", "TIME(s)", "COMM", "PID", "MESSAGE")

on(:line) do |line|
  puts format("%-18.6f %-16s %-7d %s", line.time / 1_000_000_000.0, line.comm, line.pid, line.text)
end
