default :deny
on("deny") { |e| puts e.comm }
