# No device at all: not even /dev/null, and no new nodes. For jobs that work on
# files they were given; shells and most runtimes will not start under it.
policy "deny-all"
default :deny
