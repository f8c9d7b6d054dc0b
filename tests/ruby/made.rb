# Arrays and hashes made in the block, and the library's methods on them.
A = [8, 9, 65, 8].freeze
H = {8 => [1, 2], 9 => [3]}.freeze
PAIRS = [[1, 3], [10, 200]].freeze

deny(label: "hash") { |ctx| h = {}; h[1] = 2; h[ctx.major] = 3; ctx.minor == 1000 && h[1] == 3 }
deny(label: "runtime value") { |ctx| {1 => ctx.minor, 2 => 5}[ctx.major] == 1001 }
deny(label: "runtime keys") { |ctx| h = {ctx.major => 1, ctx.minor => 2}; ctx.minor == 5 && ctx.read? && h.size == 1 && h[5] == 2 }
deny(label: "group_by") { |ctx| A.group_by { |x| x % 2 }[ctx.major % 2].include?(ctx.major) && ctx.minor == 1002 }
deny(label: "each_with_object") { |ctx| A.each_with_object({}) { |x, h| h[x] = x + 1 }[ctx.major] == 66 && ctx.minor == 1003 }
deny(label: "dup") { |ctx| x = A.dup; x << ctx.minor; x.include?(1004) && ctx.major == 1 }
deny(label: "sort") { |ctx| A.sort.last == ctx.major && A.sort_by { |x| -x }.first == 65 && ctx.minor == 1005 }
deny(label: "and") { |ctx| !(A & [ctx.major]).empty? && ctx.minor == 1006 }
deny(label: "minus") { |ctx| ([ctx.major, 8] - A) == [ctx.major] && ctx.minor == 1007 }
deny(label: "or") { |ctx| ([ctx.major] | A).size == 4 && ctx.minor == 1008 }
deny(label: "flatten") { |ctx| PAIRS.flatten.include?(ctx.major) && ctx.minor == 1020 }
deny(label: "first") { |ctx| A.first(2).include?(ctx.major) && A.last(1) == [8] && ctx.minor == 1021 }
deny(label: "slice") { |ctx| A[1..2].include?(ctx.major) && A[1..-1].size == 3 && A[9..2].nil? && ctx.minor == 1022 }
deny(label: "compact") { |ctx| [nil, 8, nil].compact == [ctx.major] && ctx.minor == 1023 }
deny(label: "uniq") { |ctx| A.uniq.size == 3 && [ctx.major, 8].uniq.size == 1 && ctx.minor == 1024 }
deny(label: "step") { |ctx| r = false; 8.step(20, 4) { |i| r = true if i == ctx.major }; r && ctx.minor == 1026 }
deny(label: "shift") { |ctx| x = [1, ctx.major, 3]; x.shift; x.unshift(7); x.concat([4]); x[1] == 65 && x.size == 4 && ctx.minor == 1027 }
deny(label: "delete") { |ctx| x = [1, 2, 3]; x.delete(2); x == [1, ctx.major] && ctx.minor == 1028 }
deny(label: "spread") { |ctx| a, b = ctx.char? ? [1, 3] : [8, 0]; ctx.major == a && ctx.minor == 1029 + b }
deny(label: "fetch") { |ctx| H.key?(ctx.major) && H.fetch(ctx.major).include?(ctx.minor - 1040) }
deny(label: "fetch default") { |ctx| H.fetch(ctx.major, [9]).include?(ctx.minor - 1050) }
deny(label: "assoc") { |ctx| pair = PAIRS.assoc(ctx.major); pair && pair[1] == ctx.minor - 1060 }
deny(label: "alias") { |ctx| a = [[1]]; b = a.first; a[0] << ctx.major; b.include?(9) && ctx.minor == 1300 }
deny(label: "to_a") { |ctx| a = [1]; b = a.to_a; b << 2; a.include?(ctx.major) && ctx.minor == 1301 }
deny(label: "transform") { |ctx| H.transform_values { |v| v.first }[ctx.major] == 3 && ctx.minor == 1302 }
deny(label: "select") { |ctx| H.select { |k, v| v.size == 2 }.key?(ctx.major) && ctx.minor == 1303 }
deny(label: "merge") { |ctx| H.merge({10 => [0]}).keys.include?(ctx.major) && ctx.minor == 1304 }
deny(label: "map") { |ctx| H.map { |k, v| k + v.size }.include?(ctx.major) && ctx.minor == 1305 }
deny(label: "delete key") { |ctx| h = {1 => 2, 3 => 4}; h.delete(ctx.major); h.size == 1 && ctx.minor == 1306 }
deny(label: "min_by") { |ctx| A.min_by { |x| (x - 10).abs } == ctx.major && ctx.minor == 1307 }
deny(label: "tally") { |ctx| A.tally[ctx.major] == 2 && ctx.minor == 1308 }
deny(label: "inject") { |ctx| A.inject { |a, b| a > b ? a : b } == ctx.major && ctx.minor == 1309 }
deny(label: "partition") { |ctx| even, odd = A.partition { |x| x % 2 == 0 }; odd.include?(ctx.major) && ctx.minor == 1310 }
deny(label: "text") { |ctx| raise "no #{ctx.major}" if ctx.minor == 1311; false }
deny(label: "count") { |ctx| A.count { |x| x == ctx.major } == 2 && ctx.minor == 1312 }
deny(label: "find_index") { |ctx| A.find_index { |x| x > ctx.major } == 1 && ctx.minor == 1313 }
deny(label: "each_cons") { |ctx| r = false; A.each_cons(2) { |a, b| r = true if b == ctx.major }; r && ctx.minor == 1314 }
deny(label: "hash of hashes") { |ctx| {c: {1 => 3}, b: {8 => 0}}[ctx.char? ? :c : :b][ctx.major] == ctx.minor - 1320 }
deny(label: "partial") { |ctx| x = []; x << 1 if ctx.read?; x << 2 if ctx.char?; x.size == 2 && ctx.minor == 1330 && x == [1, 2] }
default :allow
deny(label: "Array.new") { |ctx| Array.new(3) { |i| i * 10 }.include?(ctx.major) && Array.new(2, 5) == [5, 5] && ctx.minor == 1331 }
def in_set?(ctx, major: 1, minors: [3]) = ctx.major == major && minors.include?(ctx.minor)
def all_kw(**o) = o
def first_or(x, y = 7, *z, k:, &b) = b ? b.call(x + y + k) : x + y + k + z.size
deny(label: "keywords") { |ctx| in_set?(ctx, major: 12, minors: [1332]) }
deny(label: "keyword default") { |ctx| in_set?(ctx, minors: [1333]) }
deny(label: "keyword runtime") { |ctx| first_or(ctx.major, k: 3) == 22 && ctx.minor == 1334 }
deny(label: "keyword block") { |ctx| first_or(ctx.major, 1, k: 3) { |n| n == 24 } && ctx.minor == 1335 }
deny(label: "keyword hash") { |ctx| all_kw(a: ctx.major, b: 2)[:a] == 6 && all_kw.empty? && ctx.minor == 1336 }
deny(label: "splat keywords") { |ctx| o = {major: 13, minors: [1337]}; in_set?(ctx, **o) }
deny(label: "lambda keywords") { |ctx| f = ->(a, b: 2) { a + b == ctx.major }; f.call(1, b: 5) && ctx.minor == 1338 }
deny(label: "big literal") { |ctx| {0 => 1, 1 => 2, 2 => 3, 3 => 4, 4 => 5, 5 => 6, 6 => 7, 7 => 8, 8 => 9, 9 => 10, 10 => 11, 11 => 12, 12 => 13, 13 => 14, 14 => 15, 15 => 16, 16 => 17, 17 => 18, 18 => 19, 19 => 20, 20 => 21, 21 => 22, 22 => 23, 23 => 24, 24 => 25, 25 => 26, 26 => 27, 27 => 28, 28 => 29, 29 => 30, 30 => 31, 31 => 32, 32 => 33, 33 => 34, 34 => 35, 35 => 36, 36 => 37, 37 => 38, 38 => 39, 39 => 40, 40 => 41, 41 => 42, 42 => 43, 43 => 44, 44 => 45, 45 => 46, 46 => 47, 47 => 48, 48 => 49, 49 => 50, 50 => 51, 51 => 52, 52 => 53, 53 => 54, 54 => 55, 55 => 56, 56 => 57, 57 => 58, 58 => 59, 59 => 60, 60 => 61, 61 => 62, 62 => 63, 63 => 64, 64 => 65, 65 => 66}[ctx.major] == ctx.minor - 1400 }
