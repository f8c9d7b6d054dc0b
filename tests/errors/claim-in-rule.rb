allow { |ctx| never "b *:*" }
