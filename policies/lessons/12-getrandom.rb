# How many random bytes are asked for? Every system call is seen, one of them is looked at (x86-64).
license! "GPL"
section! "raw_tracepoint/sys_enter"

# What this tracepoint is called with: the address of the caller's registers, and the number of the call.
class SysEnter
  attr :registers, :u64
  attr :call, :u64
end

# struct pt_regs: the second argument of a call is in rsi.
class Registers
  %i[r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi].each { |name| attr name, :u64 }
end

GETRANDOM = 318

READS = ring pid: :u32, comm: :comm, length: :u64
LENGTHS = histogram

def prog(ctx)
  if ctx.call == GETRANDOM
    length = Registers.at(ctx.registers).rsi
    LENGTHS << length
    READS << {pid: pid, comm: comm, length: length}
  end
  return 0
end

puts format("%-16s %-7s %s", "COMM", "PID", "BYTES")

on(READS) { |read| puts format("%-16s %-7d %d", read.comm, read.pid, read.length) }

at_exit { LENGTHS.print "bytes" }
