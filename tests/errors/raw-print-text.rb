license! "GPL"
def prog(ctx)
  printk("%s", ctx.minor)
  1
end
