default :deny
audit :none
on(:deny) { |e| puts e.comm }
