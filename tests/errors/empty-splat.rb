devices = []
allow "c *:*"
deny(*devices)
