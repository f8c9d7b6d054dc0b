class Hash
	def [](key) = 5
end
deny { |ctx| h = {1 => 2}; h[1] == 5 && ctx.major == 1 }
