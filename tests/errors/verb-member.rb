Thing = Struct.new(:a, :deny)
allow "c *:*"
