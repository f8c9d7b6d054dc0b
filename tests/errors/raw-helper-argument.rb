license! "GPL"
def prog(ctx)
  pid(1)
end
