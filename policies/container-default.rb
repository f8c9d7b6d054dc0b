# The devices that Docker and runc give every container: runc's own list, which no
# configuration can take from a container, and :console, which Docker adds.
#
# A container may make any node (which costs nothing: opening it is asked again)
# and use the harmless character devices, its own terminals, and tun (making an
# interface by it needs CAP_NET_ADMIN; runc 1.2.0 to 1.2.3 left it out). Everything
# else, disks, memory and the kernel's log among it, is denied by the default.
policy "container-default"
default :deny

allow "a *:* m", label: "make any node"

allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
allow :tty, :console, :ptmx, :pts, access: "rw", label: "terminals"
allow :net_tun, access: "rw", label: "tun and tap"
