default :deny
on(:deny) { |comm, device| puts comm }
