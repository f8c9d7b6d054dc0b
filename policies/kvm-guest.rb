# What a virtual machine monitor such as QEMU needs: KVM, networking by tap and
# vhost, and nothing of the host's hardware. Disk images are files; a guest on a
# block device needs a rule of its own for it ("b 8:16 rw").
#
# KVM and the network are for QEMU alone: for the files below, wherever they are on this
# host, as root installed them. A shell that a guest escapes to, a copy of QEMU and a
# program that calls itself qemu do not get them. A path that this host does not have
# matches nothing: write that of your monitor. After an upgrade of QEMU apply the policy again.
policy "kvm-guest"
default :deny

QEMU = [
  "/usr/bin/qemu-system-x86_64",  # Debian, Ubuntu, Arch, SUSE
  "/usr/bin/qemu-system-aarch64",
  "/usr/libexec/qemu-kvm"         # Fedora, RHEL
]

# before every allow: a guest escaping to the monitor finds no way to make a node
deny "a *:* m", label: "no new nodes"

allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
allow :tty, :ptmx, :pts, access: "rw", label: "the guest's consoles"
allow(:kvm, access: "rw", label: "the processor") { |ctx| QEMU.include?(ctx.exe) }
allow(:net_tun, :vhost_net, :vhost_vsock, access: "rw", label: "the guest's network") { |ctx| QEMU.include?(ctx.exe) }
allow :hwrng, access: "r", label: "entropy for virtio-rng"

never(:kvm, label: "no program but QEMU runs guests") { |ctx| !QEMU.include?(ctx.exe) }
