allow "c *:*"
begin
  deny "c 1;3"
rescue ArgumentError
end
deny "c 1:x" rescue nil
