allow "c *:*"
=begin
deny "c 1:3"
