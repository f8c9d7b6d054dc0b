# Each new process is an event: an object in Ruby, with the fields of its ring.
license! "GPL"
section! "tracepoint/sched/sched_process_fork"

EVENTS = ring pid: :u32, time: :u64, comm: :comm

def prog(ctx)
  EVENTS << {pid: pid, time: ktime_ns, comm: comm}
  return 0
end

puts format("%-14s %-16s %-7s %s", "TIME(s)", "COMM", "PID", "MESSAGE")

start = nil
on(EVENTS) do |event|
  start ||= event.time
  seconds = (event.time - start) / 1_000_000_000.0
  puts format("%-14.9f %-16s %-7d %s", seconds, event.comm, event.pid, "Hello, ring!")
end
