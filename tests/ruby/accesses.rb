# One access at a time.
deny "c 10:229 w"
allow "c 10:* r"
allow "c 10:* w"
allow { |c| c.major == 1 && c.read? }
allow { |c| c.major == 2 && c.requested == 6 && c.access == 2 }
allow { |c| c.major == 2 && c.access_type == 0x40002 }
allow "b 8:0-3,7 rw", "c 5:*", access: "m" if false
allow "b 8:0-3,7 rw"
