def self.deny(*)
end
allow "c *:*"
