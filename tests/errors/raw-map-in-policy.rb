COUNTS = table :pid => :u64
allow :null
