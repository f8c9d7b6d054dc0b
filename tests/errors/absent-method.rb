class Bag
  def sum = 8
end
TABLE = {1 => [3, 5], 2 => Bag.new}
allow { |ctx| (1..2).include?(ctx.major) && TABLE[ctx.major].sum == ctx.minor }
