allow /dev/null
