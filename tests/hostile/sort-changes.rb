allow :null
a = (0..999).to_a
a.sort! { |x, y| a.clear; y <=> x }
a.map! { |x| a.clear; a.push(*(0..99).to_a); x }
missing
