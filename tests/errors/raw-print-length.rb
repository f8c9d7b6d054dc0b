license! "GPL"
def prog(ctx)
  bpf_trace_printk("minor %d", 30, ctx.minor)
  1
end
