class Object
  alias copy clone
end
allow(&proc { |ctx| ctx.read? }.copy)
