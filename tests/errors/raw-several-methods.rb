license! "GPL"
def a(ctx)
  1
end
def b(ctx)
  2
end
