allow "gpu"
