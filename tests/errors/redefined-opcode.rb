class String
	def +(other) = "z"
end
deny { |ctx| "a" + "b" == "z" && ctx.major == 1 }
