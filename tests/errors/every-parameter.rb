default :deny
every(5) { |n| puts n }
