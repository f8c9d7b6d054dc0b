puts "hello"
allow :null
