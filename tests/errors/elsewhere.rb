allow { |ctx| File.exist?("/x") }
allow { |ctx| ENV["GPU"] }
allow { |ctx| Time.now.hour > 3 }
allow { |ctx| rand > 0.5 }
allow { |ctx| puts "x"; true }
allow { |ctx| eval "true" }
allow { |ctx| deny "c 1:3" }
allow { |ctx| super }
