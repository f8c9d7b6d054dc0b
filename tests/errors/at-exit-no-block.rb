default :deny
at_exit
