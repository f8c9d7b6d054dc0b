docker run --device $CAM image
