# `break`, `return` and `next` of several blocks, on paths that meet.
def found(ctx)
  [1, 2, 4].each do |i|
    break if ctx.minor == i
    return 7 if ctx.minor == i + 8
  end
  3
end
allow("c 3:*") { |ctx| found(ctx) == 7 }
def deep(ctx)
  r = [1, 2].map do |i|
    [5, 6].each { |k| return k if ctx.minor == k * i; break if ctx.minor == k + 10 }
    next 40 if ctx.minor == 20
    i
  end
  r == [40, 40] ? 9 : 0
end
allow("c 4:*") { |ctx| [6, 9].include?(deep(ctx)) }
