license! "GPL"
class Inode
  attr :number, :u64
end
def prog(ctx)
  Inode.at(ctx.minor).number
end
