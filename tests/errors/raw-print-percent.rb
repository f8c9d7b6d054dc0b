license! "GPL"
def prog(ctx)
  printk("100 %%")
  1
end
