allow { |ctx| while true; end }
