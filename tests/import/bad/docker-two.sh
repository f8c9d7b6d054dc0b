docker run image
docker run other
