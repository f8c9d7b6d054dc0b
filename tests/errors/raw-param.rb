license! "GPL"
gpu = param :gpu, 0, in: 0..3
def prog(ctx)
  1
end
