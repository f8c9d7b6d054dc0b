default :deny
def on(event) = event
