deny "c 1:3", errno: 19
