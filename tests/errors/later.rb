set "x", []
