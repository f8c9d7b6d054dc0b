allow "c *:*"
[1, 2].each { |x| return if x == 2 }
deny "c 1:3"
