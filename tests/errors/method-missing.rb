class Quiet < BasicObject
  def method_missing(*) = nil
end
allow "c *:*"
