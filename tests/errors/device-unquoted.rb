allow c 1:3 rw
