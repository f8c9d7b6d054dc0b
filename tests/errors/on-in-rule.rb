default :deny
allow { |ctx| on(:deny) { } }
