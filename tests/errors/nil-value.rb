x = nil
x.each { |d| allow d }
