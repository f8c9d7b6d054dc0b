license! "GPL"
def prog
  1
end
