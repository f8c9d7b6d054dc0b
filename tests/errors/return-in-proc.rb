leave = proc { return }
allow "c *:*"
leave.call
deny "c 1:3"
