alow :null
