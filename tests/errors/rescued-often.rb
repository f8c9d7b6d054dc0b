allow "c *:*"
30.times { deny "c 1;3" rescue nil }
