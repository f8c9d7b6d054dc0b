# Early returns.
license! "GPL"
section! "cgroup/dev"

class Context
  attr :access_type, :u32
  attr :major, :u32
  attr :minor, :u32
end

def prog(ctx)
  if ctx.major != 10
    return 1
  end
  if ctx.minor == 229
    return 0
  end
  return 1
end
