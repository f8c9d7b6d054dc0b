[1].each do |n|
  allow "c *:*"
  break
  deny "c 1:#{n}"
end
