allow :null
[8, 9].each do |major|
  next
  never "b #{major}:*"
end
