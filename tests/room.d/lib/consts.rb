GPU = 3
