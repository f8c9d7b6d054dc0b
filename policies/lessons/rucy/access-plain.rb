# The same without a length.
license! "GPL"
section! "cgroup/dev"

class Ctx
  attr :access_type, :u32
  attr :major, :u32
  attr :minor, :u32
end

def prog(ctx)
  if ctx.major == 1
    bpf_trace_printk("memory device, access and type: %d", ctx.access_type)
  end
  return 1
end
