license! "GPL"
def prog(ctx)
  printk("größe")
  1
end
