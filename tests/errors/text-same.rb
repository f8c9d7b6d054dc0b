allow { |ctx| "#{ctx.minor}" == "#{ctx.major}" }
allow { |ctx| ["#{ctx.minor}"] == ["#{ctx.major}"] }
allow { |ctx| ["#{ctx.minor}"].include?("#{ctx.major}") }
allow { |ctx| h = {"a#{ctx.minor}" => 1}; h["a#{ctx.major}"] == 1 }
allow { |ctx| case "#{ctx.minor}" when "#{ctx.major}" then true end }
allow { |ctx| ["#{ctx.minor}"].index("#{ctx.major}") == 0 }
allow { |ctx| (["#{ctx.minor}"] - ["#{ctx.major}"]).empty? }
allow { |ctx| ["#{ctx.minor}", "#{ctx.major}"].uniq.size == 1 }
allow { |ctx| "#{ctx.minor}".eql?("#{ctx.major}") }
