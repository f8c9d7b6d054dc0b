allow :null
"text".object_id
