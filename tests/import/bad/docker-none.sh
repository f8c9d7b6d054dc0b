echo docker
