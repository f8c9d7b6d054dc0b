license! "GPL"
def prog(ctx)
  printk("%s %s", comm, comm)
  1
end
