default :deny
101.times { on(:deny) { } }
