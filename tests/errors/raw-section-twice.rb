section! "cgroup/dev"
section! "kprobe/f"
def prog(ctx)
  1
end
