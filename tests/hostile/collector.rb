allow :null
held = {}
20_000.times { |i| held.replace({"key #{i}" => "value #{i}" * 20, Object.new => [i, "x" * 30]}) }
held.each { |key, value| [key, value].inspect }
missing
