license! "GPL"
def prog(ctx)
  printk("minor %d", 1, 2)
  1
end
