condition = nil
allow "c *:*"
deny(&condition)
