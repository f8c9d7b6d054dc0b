license! "GPL"
class Ctx
  attr :major, :u32
  attr :minor, :u32
end
def prog(ctx)
  ctx.major
end
