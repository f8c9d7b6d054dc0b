allow :null
"text".__id__
