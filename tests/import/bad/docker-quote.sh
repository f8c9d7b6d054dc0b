docker run "image
