license! "GPL"
def prog(ctx)
  ppid
end
