class Object
  attr_accessor :a, :deny
end
allow "c *:*"
