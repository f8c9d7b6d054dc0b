allow :null
NoMethodError = 1
