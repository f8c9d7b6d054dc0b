# A class that nothing uses, and an argument that nothing reads.
license! "GPL"

class Sock
  attr :address_pair, :u64
  attr :hash, :u32
end

section! "kprobe/tcp_connect"
def prog(sock)
  bpf_trace_printk("a TCP connection begins\n", 25)
  return 0
end
