license! "GPL"
section! "kprobe/do_exit"
def prog(ctx)
  return 0
end
on(:deny) { |e| puts e.comm }
