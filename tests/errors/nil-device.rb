allow "c *:*"
deny nil
