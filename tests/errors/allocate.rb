allow :null
Array.allocate.size
