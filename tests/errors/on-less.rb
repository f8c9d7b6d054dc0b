default :deny
audit :denied
on(:allow) { |e| puts e.comm }
