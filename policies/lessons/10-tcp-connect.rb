# Who connects to what? A structure of the kernel, read at its address (x86-64).
license! "GPL"
section! "kprobe/tcp_connect"

# struct pt_regs: the function's first argument is in rdi.
class Registers
  %i[r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi].each { |name| attr name, :u64 }
end

# The begin of struct sock. Numbers of the network have their high byte first.
class Sock
  attr :address, :u32
  attr :own_address, :u32
  attr :hash, :u32
  attr :port, :u16
end

CONNECTS = ring pid: :u32, comm: :comm, address: :u32, port: :u16

def prog(ctx)
  sock = Sock.at(ctx.rdi)
  CONNECTS << {pid: pid, comm: comm, address: sock.address, port: sock.port}
  return 0
end

puts format("%-7s %-16s %s", "PID", "COMM", "TO")

on(CONNECTS) do |to|
  address = [0, 8, 16, 24].map { |shift| to.address >> shift & 255 }.join(".")
  port = (to.port & 255) << 8 | to.port >> 8
  puts format("%-7d %-16s %s:%d", to.pid, to.comm, address, port)
end
