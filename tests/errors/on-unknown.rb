default :deny
on(:denied) { |e| puts e.comm }
