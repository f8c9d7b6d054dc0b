allow :null
f = nil
f = Fiber.new { f.resume rescue nil; [1].each { Fiber.yield 1 }; f.transfer rescue nil; raise "x" }
3.times { f.resume rescue nil }
f.resume
