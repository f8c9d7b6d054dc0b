allow :null
h = {}
100.times { |i| h[i] = i }
h.each { |k, v| h.delete(k); h[k + 1000] = v if k < 1000; h.rehash }
missing
