license! "GPL"
def prog(ctx)
  printk("minor %d")
  1
end
