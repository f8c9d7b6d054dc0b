allow :null
raise [Object.new.hash, Object.new.hash, proc { }.hash, Class.new.hash, nil.hash, :a.hash == :a.hash, 1.5.hash == 1.5.hash].inspect
