# The devices that Docker and runc give every container.
#
# A container may make any node (which costs nothing: opening it is asked again)
# and use the harmless character devices and its own terminals. Everything else,
# disks, memory and the kernel's log among it, is denied by the default.
policy "container-default"
default :deny

allow "a *:* m", label: "make any node"

allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
allow :tty, :console, :ptmx, :pts, access: "rw", label: "terminals"
