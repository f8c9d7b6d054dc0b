policy "a" do
  allow "c *:*"
  next
  deny "c 1:3"
end
