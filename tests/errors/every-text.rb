default :deny
every("5s") { puts 1 }
