license! "GPL"
def prog(ctx)
  puts "x"
  1
end
