license! "GPL"
class Ctx
  attr :access_type, :int
end
def prog(ctx)
  1
end
