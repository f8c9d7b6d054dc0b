Class.new.missing
