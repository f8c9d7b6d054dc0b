# From which thread to which does a CPU go? A key of two numbers.
license! "GPL"
section! "tracepoint/sched/sched_switch"

class Switch
  attr :common, :u64
  attr :from_name, :u64
  attr :from_name_rest, :u64
  attr :from, :s32
  attr :from_priority, :s32
  attr :from_state, :s64
  attr :to_name, :u64
  attr :to_name_rest, :u64
  attr :to, :s32
end

SWITCHES = table [:s32, :s32] => :u64, max: 1024

def prog(ctx)
  SWITCHES[[ctx.from, ctx.to]] += 1
  return 0
end

at_exit do
  SWITCHES.sort_by { |pair, count| -count }.first(10).each do |(from, to), count|
    puts format("task_switch[%6d -> %6d] = %d", from, to, count)
  end
end
