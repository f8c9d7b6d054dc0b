allow :null
raise [[1].hash, Object.new, proc { }, Class.new, [Class.new.new]].inspect + [[]].map(&:object_id).inspect
