deny { |ctx| f = ctx.char? ? :succ : :pred; [1, 2].map(&f).include?(ctx.major) }
