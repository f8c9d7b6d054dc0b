license! "GPL"
section! "raw_tracepoint/sys_enter"
class A
  attr :id, :u64
end
class B
  attr :regs, :u64
  attr :id, :u64
end
def prog(ctx)
  ctx.id
end
