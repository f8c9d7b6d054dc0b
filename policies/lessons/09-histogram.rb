# How large are the requests to disks? Only the counts leave the kernel.
license! "GPL"
section! "tracepoint/block/block_rq_issue"

class Event
  attr :common, :u64
  attr :device, :u32
  attr :sector, :u64
  attr :sectors, :u32
  attr :bytes, :u32
end

SIZES = histogram

def prog(ctx)
  SIZES << ctx.bytes / 1024
  return 0
end

puts "Tracing... Ctrl-C to end."

at_exit { SIZES.print "kbytes" }
