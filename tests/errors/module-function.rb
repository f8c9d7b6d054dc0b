module Disk
  module_function

  def disk?(ctx) = ctx.block?
end
allow { |ctx| Disk.disk?(ctx) }
