allow :null
a = []
100_000.times { a = [a] }
a.flatten.inspect.hash
raise "no" if a == a.dup
missing
