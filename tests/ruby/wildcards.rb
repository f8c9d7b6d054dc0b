# A symbol in a table stands for any number: never equal to an Integer.
TABLE = [[1, 3], [10, :any], [:any, 229]]
allow { |c| TABLE.any? { |m, n| (m == :any || m == c.major) && (n == :any || n == c.minor) } }
allow { |c| [1.0, nil, :a, 8].include?(c.major) && c.read? }
allow { |c| case c.minor when :none then true when 7 then c.major == 2 end }
