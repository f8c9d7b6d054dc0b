def prog(ctx)
  1
end
