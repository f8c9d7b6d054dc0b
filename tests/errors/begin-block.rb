allow "c *:*"
BEGIN { deny "c 1:3" }
