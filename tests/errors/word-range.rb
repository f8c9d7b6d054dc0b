allow { |ctx| ("sda".."sdz").include?("sdaa") && ctx.block? }
