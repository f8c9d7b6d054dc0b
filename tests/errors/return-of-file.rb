allow "c *:*"
return
deny "c 1:3"
