license! "GPL"
def prog(ctx)
  printk("%d %d %d %d", 1, 2, 3, 4)
  1
end
