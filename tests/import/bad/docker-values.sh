docker run \
  --privileged=maybe --device /dev/fuse:/x: --device-cgroup-rule c \
  --device /dev/fuse:z --frobnicate x --device
