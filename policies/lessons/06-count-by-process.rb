# Who opens files? Counted in the kernel by the name of the process, sorted in Ruby.
license! "GPL"
section! "tracepoint/syscalls/sys_enter_openat"

OPENS = table :comm => :u64

def prog(ctx)
  OPENS[comm] += 1
  return 0
end

def top(title)
  puts title
  OPENS.sort_by { |name, count| -count }.first(5).each do |name, count|
    puts format("%8d %s", count, name)
  end
end

every(5) do
  top "opened in 5 seconds:"
  OPENS.clear
end

at_exit { top "opened since then:" }
