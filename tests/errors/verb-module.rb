module Kernel
  def allow(*) = nil
end
allow "c *:*"
