docker run --device /dev/fuse
