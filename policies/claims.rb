# Claims for policies of containers and services: what none of them should allow. This is no
# policy. It has no rules: it says what the rules of a policy must amount to, and is put to
# one, or to what the kernel runs already:
#
#   rucy-devguard check --claims claims.rb web.rb effective:/system.slice/web.service
#
# Each claim is proven for every request and every caller; a false one is told with a request
# that breaks it. Copy the file, take away what your policies are there for (a backup reads raw
# disks), and add what must always work: always :null, access: "rw".

# Who can read a disk's device reads every file on it, whatever its owner and mode, and who
# can write it owns the host. The character devices reach the same disks by commands.
never "b *:*", :sg, "char-bsg", "char-nvme-generic", access: "rw", missing: :skip,
      label: "no raw disks"

# Memory of the kernel and of every process, and the ports of the hardware.
never :mem, :kmem, :port, access: "rw", label: "no memory of the host"

# The kernel's log tells addresses and what other processes do; who writes to it hides that.
never :kmsg, access: "rw", label: "no kernel log"

# What is typed on the host, passwords among it; and keys that nobody pressed.
never :input, :uinput, "char-hidraw", access: "rw", missing: :skip, label: "no raw input"

# A node can be made for any device. To open it is asked again, but not of a process
# elsewhere that finds the node.
never "a *:*", access: "m", label: "nothing new made by mknod"
