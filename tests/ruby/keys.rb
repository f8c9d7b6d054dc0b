# Arrays made of the request as keys, and which parameter an argument is for.
def middle(a = 1, b = 2, c) = a * 100 + b * 10 + c
def ends(a, b = 5, *rest, z) = [a, b, rest.length, z]
KNOWN = {[1, 3] => 7, [3, 1] => 8, [5] => 9, [[2], 4] => 10}
allow { |c| c.major == 1 && {[c.minor, 1] => 5}[[3, 1]] == 5 }
allow { |c| c.major == 2 && {[c.minor, c.major] => 1, [4, 2] => 2}[[c.minor, 2]] == 2 }
allow { |c| c.major == 3 && KNOWN[[c.minor, 1]] == 8 }
allow { |c| c.major == 3 && KNOWN[[c.minor]] }
allow { |c| c.major == 4 && KNOWN[[[c.minor], c.major]] == 10 }
allow { |c| c.major == 5 && KNOWN.key?([c.minor, c.minor + 2]) }
allow { |c| c.major == 6 && middle(c.minor) == 124 }
allow { |c| c.major == 7 && middle(c.minor, 6) == 326 }
allow { |c| c.major == 8 && middle(9, c.minor, 7) == 947 }
allow { |c| c.major == 9 && ends(c.minor, 2) == [4, 5, 0, 2] }
allow { |c| c.major == 10 && ends(1, c.minor, 2) == [1, 4, 0, 2] }
allow { |c| c.major == 11 && ends(1, 2, 3, c.minor) == [1, 2, 1, 4] }
allow { |c| c.major == 12 && [c.minor, 1].eql?([3, 1]) }
allow { |c| c.major == 13 && [c.minor].any? { |a, *r, z| a == 4 && r == [] && z.nil? } }
allow { |c| c.major == 14 && [*c.minor, 2] == [4, 2] && c.minor.dup == 4 }
