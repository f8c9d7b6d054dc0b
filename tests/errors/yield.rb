allow { |ctx| yield }
