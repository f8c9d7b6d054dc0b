default :allow
deny :ttyUBS0
