deny { |ctx| a = [1].freeze; a << ctx.major; a.size == 2 }
