docker run --device /dev/../tmp/x --device /tmp --device /dev/no-such-device-at-all i
