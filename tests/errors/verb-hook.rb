class Module
  def method_added(name) = nil
end
allow "c *:*"
