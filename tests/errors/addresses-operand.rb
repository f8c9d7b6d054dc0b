1 + Class.new.new
