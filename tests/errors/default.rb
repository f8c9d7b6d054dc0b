default :maybe
