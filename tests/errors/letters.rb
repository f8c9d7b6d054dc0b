allow "c 1:3 rwx"
