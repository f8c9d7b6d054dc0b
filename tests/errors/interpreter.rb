allow :null
GC.disable
