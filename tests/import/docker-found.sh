podman create --gpus all -dit --device vendor.example/gpu=all --device /dev/no-such-device-at-all image sh -c 'exit 1'
