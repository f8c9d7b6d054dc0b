# A line for every call of sync(2), and Ruby that prints it.
license! "GPL"
section! "tracepoint/syscalls/sys_enter_sync"

def prog(ctx)
  printk("sync() called")
  return 0
end

puts "Tracing sync()... Ctrl-C to end."

on(:line) { |line| puts line.text }

at_exit { puts "Done" }
