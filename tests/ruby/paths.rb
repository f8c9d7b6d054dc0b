# Integers that differ by path: computed from one another, kept in arrays, hashes and objects, with nil and raises.
class Counter
  def initialize(n) @n = n end
  def add(n) @n += n end
  def n() @n end
end
TABLE = (0..29).map { |i| i * 7 % 25 }

allow "c 0-63:*" do |ctx| # both numbers in each condition
  x = ctx.minor
  x = x > ctx.major + 0 ? x - 1 : x + 1
  x = x > ctx.major + 3 ? x - 2 : x + 3
  x = x > ctx.major + 6 ? x - 3 : x + 5
  x = x > ctx.major + 9 ? x - 4 : x + 7
  x = x > ctx.major + 12 ? x - 5 : x + 9
  x = x > ctx.major + 15 ? x - 6 : x + 11
  x = x > ctx.major + 18 ? x - 7 : x + 13
  x = x > ctx.major + 21 ? x - 8 : x + 15
  x = x > ctx.major + 24 ? x - 9 : x + 17
  x = x > ctx.major + 27 ? x - 10 : x + 19
  x = x > ctx.major + 30 ? x - 11 : x + 21
  x = x > ctx.major + 33 ? x - 12 : x + 23
  x % 5 == 2
end
allow "c 64-127:*" do |ctx| # one number
  x = ctx.minor
  x = x > 0 ? x - 1 : x + 1
  x = x > 30 ? x - 20 : x + 13
  x = x > 60 && x % 3 == 1 ? x / 3 : x + 5
  x = x == 9 || x > 12 ? x - 13 : -x
  x = x > 12 ? x - 5 : x + 9
  (x & 7) == 3
end
allow "c 128-191:*" do |ctx| # more values than registers
  q, r = (ctx.minor + ctx.major).divmod(16); s, t = (ctx.minor * 3 - ctx.major).divmod(10)
  q * s + r * t == q % (t + 1) + r % (s.abs + 1) || (q ^ s) % 3 == (r ^ t) % 3
end
allow "c 192-255:*" do |ctx| # in an array, a hash and an object
  a = [ctx.major, ctx.minor, 0]
  h = {x: 1, 2 => ctx.minor}
  o = Counter.new(ctx.minor)
  8.times do |i|
    a[0] = a[1] > i ? a[0] + i : a[0] - 1 if a[0] % 3 == 1
    a[1] -= i if a[1] & i == 1
    a[2] += 1 if a[0] > a[1]
    h[:x] += 3 if h[2] > a[0]
    h[2] -= i if h[:x] == a[2]
    o.add(i) if o.n % 2 == 1
  end
  (a[0] + a[2] + h[:x] + h[2] + o.n) % 4 == 1
end
allow "b 0-63:*" do |ctx| # nil and tables among them, and a raise on some paths
  x = (ctx.minor > ctx.major ? ctx.minor - ctx.major : nil) || (ctx.read? ? 7 : ctx.major)
  y = ctx.minor < 15 ? TABLE[ctx.minor] : TABLE[ctx.major % 30]
  z = case x when 0, 3 then y when 4..9 then x * 2 else -y end
  z += 1 if z % 2 == 0
  10 / (z - y) > 0 || x > y
end
allow "b 64-127:*" do |ctx| # negative operands of ~, |, ^ and &
  x = ~ctx.minor | -ctx.major
  y = ctx.minor > 20 ? -ctx.minor : ctx.major ^ -8
  (x * x + (y & ~7)) % 9 < 4 && (x ^ y) * (x | y) != 40
end
