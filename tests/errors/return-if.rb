allow "c *:*"
return if [1].size == 1
deny "c 1:3"
