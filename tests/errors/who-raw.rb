section! "cgroup/dev"
license! "GPL"
def program(ctx)
  ctx.euid == 0 ? 1 : 0
end
