license! "GPL"
class Ctx
  attr :access_type
end
def prog(ctx)
  1
end
