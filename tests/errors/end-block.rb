allow "c *:*"
END { deny "c 1:3" }
