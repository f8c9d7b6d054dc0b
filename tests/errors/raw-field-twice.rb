license! "GPL"
class Ctx
  attr :major, :u32
  attr :major, :u32
end
def prog(ctx)
  1
end
