allow do |ctx|
  list = (1..80).map { |i| ctx.minor * ctx.major % (1000 + i) }
  sum = list.inject(0) { |a, v| a ^ v }
  list.inject(0) { |a, v| (a * 3 + (v ^ sum)) % 10007 } == ctx.major
end
