allow "/dev/ttyUSB9*"
