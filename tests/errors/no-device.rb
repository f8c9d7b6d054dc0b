allow "/dev/nosuchdevice"
