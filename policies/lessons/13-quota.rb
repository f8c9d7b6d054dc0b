# A device program that remembers: each process opens /dev/urandom three times at most.
license! "GPL"
section! "cgroup/dev"

class Request
  attr :access_type, :u32
  attr :major, :u32
  attr :minor, :u32
end

LIMIT = 3
OPENED = table :pid => :u64

def prog(ctx)
  return 1 unless ctx.major == 1 && ctx.minor == 9
  opened = OPENED[pid] || 0
  OPENED[pid] += 1
  return opened < LIMIT ? 1 : 0
end
