license! "GPL"
class Ctx
  attr :access_type, :u32
  attr :major, :u32
  attr :minor, :u32
  attr :inode, :u64
end
def prog(ctx)
  ctx.inode
end
