allow :null
never "/dev/no-such-card"
