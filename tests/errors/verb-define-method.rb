names = %w[al low]
Object.define_method(names.join) { |x| }
allow "c *:*"
