param :gpu
