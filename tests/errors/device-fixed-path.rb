allow "/dev/sdx r"
