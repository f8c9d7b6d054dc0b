license! "GPL"
section! "cgroup/skb"
def prog(ctx)
  1
end
