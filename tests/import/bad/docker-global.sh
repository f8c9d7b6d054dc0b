docker --context x run image
