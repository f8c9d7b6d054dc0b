# Everything is allowed. Useful to put a policy's name in its place for a while:
# replacing it later leaves no time without one. Programs of others on the cgroup
# or above it may still deny.
policy "allow-all"
default :allow
