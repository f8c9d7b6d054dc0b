allow "/etc/*"
