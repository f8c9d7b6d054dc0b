allow "c *:*"

deny "c 1:3",
     access: "x" do |ctx|

  ctx.read?
end
