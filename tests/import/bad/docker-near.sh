docker run --devices /dev/fuse image
