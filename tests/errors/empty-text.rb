allow "c *:*"
deny ""
