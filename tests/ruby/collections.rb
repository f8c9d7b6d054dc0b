# include?, ===, between?, any?, all?, none?, [], key? with runtime arguments.
PAIRS = [[1, 3], [1, 5], [10, 229]]
TABLE = {1 => [8, 9], 10 => [200, 232]}
LIST = %w[a b].size..9
allow { |c| PAIRS.include?([c.major, c.minor]) }
allow { |c| TABLE[c.major]&.include?(c.minor) }
allow { |c| TABLE.key?(c.minor) && (3..5) === c.major }
allow { |c| c.major.between?(20, 22) && [1, 2, 3].any? { |x| x == c.minor } }
allow { |c| c.major == 30 && [2, 3].all? { |x| c.minor % x == 0 } }
allow { |c| c.major == 31 && [2, 3].none? { |x| c.minor % x == 0 } }
allow { |c| c.major == 32 && [7, 8, 9][c.minor] == 8 }
allow { |c| c.major == 33 && LIST.include?(c.minor) }
allow { |c| c.major == 34 && {3 => true, 4 => nil}[c.minor] }
allow { |c| c.major == 35 && [[1, [2, 3]], [4, [5]]].any? { |a, b| a == c.minor || b.include?(c.minor) } }
