podman run --rm --privileged=false --privileged -it image
