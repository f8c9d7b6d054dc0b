default :deny
at_exit(5) { puts 1 }
