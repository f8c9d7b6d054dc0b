allow "c *:*"
exit
deny "c 1:3"
