# Several values that are no integers, beside integers that differ by path: none is lost.
allow "c 1:*" do |ctx|
  v = case ctx.minor
      when 0 then nil
      when 1 then :a
      when 2 then "b"
      when 3 then false
      when 4 then ctx.major
      when 5 then ctx.major + ctx.minor
      else ctx.minor
      end
  v == nil || v == "b" || v == 6 || v == 200
end
allow "c 2:*" do |ctx|
  v = ctx.minor < 9 ? ctx.minor : :none
  v = ctx.minor == 20 ? nil : v
  v = ctx.minor == 21 ? "text" : v
  v = ctx.minor > 30 ? ctx.minor - 30 : v
  v.nil? || v == :none && ctx.minor == 12 || v == "text" && ctx.read? || v == 7
end
