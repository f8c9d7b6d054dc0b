license! "GPL"
def prog(ctx)
  printk("%d", comm)
  1
end
