allow "c *:*"
deny label: "the null device"
