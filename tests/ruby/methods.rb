# The policy's own methods, lambdas and modules; loops, break, non-local return.
module Ranges
  LIMIT = 4
  def self.low?(n) = n < LIMIT
end
def first_of(list, n)
  list.each { |x| return x if x > n }
  nil
end
def pick(n, extra = 2, *rest) = [n + extra, *rest]
EVEN = ->(n) { n % 2 == 0 }
allow { |c| c.major == 1 && Ranges.low?(c.minor) && EVEN.(c.minor) }
allow { |c| c.major == 2 && first_of([3, 6, 9], c.minor) == 6 }
allow { |c| c.major == 3 && pick(c.minor, 2, 7) == [9, 7] }
allow do |c|
  n = 0
  [1, 3, 5].each { |x| n += x if c.minor >= x }
  c.major == 4 && n == 4
end
allow do |c|
  i = 0
  while i < 10
    break if i * i >= c.minor
    i += 1
  end
  c.major == 5 && i == 3
end
allow { |c| c.major == 6 && 3.times.any? { |i| i == c.minor } } if false
allow { |c| c.major == 6 && [1, 2].map { |x| x * c.minor }.include?(8) }
allow { |c| c.major == 7 && [3, 4, 5].select { |x| x < c.minor }.size == 2 }
allow { |c| c.major == 8 && [1, 2, 3].inject(0) { |a, x| a + x } == c.minor }
