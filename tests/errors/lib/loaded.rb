# What a block refuses here is shown with the line of this file.

def odd = "ä".size == 1
