license! "Proprietary"
section! "kprobe/f"
def prog(ctx)
  printk("x")
  0
end
