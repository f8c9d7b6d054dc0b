default :deny
every(5, 6) { puts 1 }
