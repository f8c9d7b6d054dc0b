section! "kprobe/tcp connect"
def prog(ctx)
  1
end
