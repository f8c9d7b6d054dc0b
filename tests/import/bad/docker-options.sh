docker run $OPTIONS image
