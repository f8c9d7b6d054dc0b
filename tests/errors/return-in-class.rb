class Thing
  allow "c *:*"
  return if name
  deny "c 1:3"
end
