license! "GPL"
def prog(ctx)
  printk("%5d", ctx.minor)
  1
end
