# Ends that cannot be compared make no range: an exception, which denies.
allow { |c| c.major == 1 && ((c.minor < 3 && c.minor)...10).include?(2) }
allow { |c| r = (c.minor == 2 ? "x" : c.minor)..5; c.major == 2 && r.include?(3) }
allow { |c| c.major == 3 && (r = "a"..(c.minor == 1 ? "b" : 7); true) }
allow { |c| c.major == 4 && ((c.minor == 1 ? nil : c.minor)..5).include?(3) }
allow { |c| c.major == 5 && (c.minor..2.5).include?(2) }
allow { |c| c.major == 6 && ((c.minor == 1 ? 2.5 : 1)..c.minor).include?(2) }
allow { |c| c.major == 7 && (r = c.comm..(c.minor == 1 ? 5 : "z"); c.minor < 3) }
allow { |c| c.major == 8 && (c.minor..(c.minor == 1 ? false : 4)).include?(4) }
allow { |c| c.major == 9 && ((c.minor == 1 ? :a : c.minor)..(c.minor == 2 ? nil : 4)).include?(4) }
allow { |c| c.major == 10 && (r = true..(c.minor == 1 ? nil : c.minor); true) }
