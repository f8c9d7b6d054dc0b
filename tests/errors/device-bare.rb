allow null
