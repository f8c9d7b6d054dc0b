license! "GPL"
def prog(ctx)
  printk(ctx.minor)
  1
end
