allow { |ctx| break }
