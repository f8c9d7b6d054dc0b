class Array
	def eql?(other) = true
end
deny { |ctx| {[1] => 2}[[ctx.major]] == 2 }
