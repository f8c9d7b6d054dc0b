audit :denied
