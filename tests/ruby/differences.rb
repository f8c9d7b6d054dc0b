# Where mruby alone would answer something else than Ruby.
TABLE = {1 => 2, 3 => nil}
PAIRS = {1 => 4, 2 => 5}
WORDS = "a".."c"
INSIDE = (1..8).cover?(3..5)
UNITS = [17.round(-1), -17.floor(-1), 17.ceil(-1), 17.truncate(-1), -7.div(2)]
KEYS = PAIRS.select { |key| key == 1 }
TURNED = PAIRS.to_h { |key, value| [value, key] }
ORDER = [nil <=> 3, nil <=> nil, 1 <=> "a"]
SLICES = [4, 5].each_with_index.select { |pair| pair == [5, 1] }
TEXT = [[1].then { |list| [list, list] }, 1.5, {a: "b"}].inspect

deny(label: "nothing ordered") { |c| (TABLE[c.major] <=> 2).nil? && c.minor == 99 && c.major == 3 }
allow(label: "round") { |c| c.major == 1 && c.minor.round(-1) == 20 }
allow(label: "floor") { |c| c.major == 2 && (c.minor - 30).floor(-1) == -20 }
allow(label: "ceil") { |c| c.major == 3 && (c.minor - 30).ceil(-1) == -10 }
allow(label: "truncate") { |c| c.major == 4 && (c.minor - 30).truncate(-1) == -10 }
allow(label: "div") { |c| c.major == 5 && (c.minor - 30).div(4) == -3 }
allow(label: "words") { |c| c.major == 6 && !WORDS.include?("bb") && WORDS.cover?("bb") && WORDS === "bb" }
allow(label: "a range inside") { |c| c.major == 7 && (1..8).cover?(3..5) && INSIDE }
allow(label: "worked out before") { |c| c.major == 8 && UNITS == [20, -20, 20, 10, -4] }
allow(label: "a key") { |c| c.major == 9 && KEYS.keys == [1] && PAIRS.reject { |key| key == c.minor }.size == 1 }
allow(label: "turned") { |c| c.major == 10 && TURNED[c.minor] == 2 }
allow(label: "order") { |c| c.major == 11 && ORDER == [nil, 0, nil] }
allow(label: "pairs") { |c| c.major == 12 && SLICES == [[5, 1]] }
allow(label: "text") { |c| c.major == 13 && TEXT == "[[[1], [1]], 1.5, {:a=>\"b\"}]" }
allow(label: "floats") { |c| c.major == 14 && 1.5 < 2.5 && c.minor > 2.5 }
allow(label: "last") { |c| i = 0; loop { i += 1; break unless i < 0 }; c.major == 15 && c.minor == i }
