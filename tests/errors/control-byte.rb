allow "c *:*" # 
deny "c 1:3"
