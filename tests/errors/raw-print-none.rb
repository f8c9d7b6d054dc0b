license! "GPL"
def prog(ctx)
  printk
  1
end
