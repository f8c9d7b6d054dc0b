allow "c *:*"
# no memory:deny "c 1:1"
