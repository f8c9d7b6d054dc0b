# A raise decides: deny at that rule, also under default :allow.
default :allow
T = {1 => [2, 3]}
deny { |c| !T[c.major].include?(c.minor) if c.major < 3 }
deny { |c| 10 / (c.minor - 5) == 2 && c.major > 9 }
deny { |c| raise "no" if c.minor == 77; false }
