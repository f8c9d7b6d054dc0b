# The old name of the section, and a line with its length, as C's sizeof counts it.
license! "GPL"
section! "dev/cgroup"

class Ctx
  attr :access_type, :u32
  attr :major, :u32
  attr :minor, :u32
end

def prog(ctx)
  if ctx.major == 1
    bpf_trace_printk("memory device, access and type: %d\n", 36, ctx.access_type)
  end
  return 1
end
