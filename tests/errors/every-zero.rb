default :deny
every(0) { puts 1 }
