policy "a" do
  allow "c *:*"
  return
  deny "c 1:3"
end
