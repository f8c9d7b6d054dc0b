deny { |ctx| ([1]..[3]).include?([ctx.major]) }
