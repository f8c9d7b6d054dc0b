#!/bin/sh
# --privileged in a comment
set -e
cd /srv && docker pull example/hass; echo "docker run --privileged x"
sudo docker run -d --name='home' \
	--restart unless-stopped -e "TZ=Europe/Paris" -v $PWD/conf:/conf -u $(id -u):$(id -g) \
	--device=/dev/fuse:/dev/fuse:rw --device "/dev/net" \
	--device-cgroup-rule 'c 188:* rmw' --device-cgroup-rule="c 166:* rw" --device /dev/zero:r \
	example/hass:latest --privileged --device /dev/mem # those are the container's
docker ps
