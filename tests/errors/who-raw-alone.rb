section! "cgroup/dev"
license! "GPL"
def program(ctx)
  euid == 0 ? 1 : 0
end
