default :deny
on(:deny)
