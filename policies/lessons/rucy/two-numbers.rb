# The only method is the program, whatever its name is. Not to /dev/kmsg.
license! "GPL"
section! "cgroup/dev"

class Context
  attr :access_type, :u32
  attr :major, :u32
  attr :minor, :u32
end

def not_the_kernel_log(ctx)
  if ctx.major == 1 && ctx.minor == 11
    return 0
  else
    return 1
  end
end
