class Pair
	def initialize(a) = @a = a
	def to_a = [@a, 2]
end
deny { |ctx| a, b = *Pair.new(ctx.major); a == b }
