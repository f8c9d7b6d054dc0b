# What a virtual machine monitor such as QEMU needs: KVM, networking by tap and
# vhost, and nothing of the host's hardware. Disk images are files; a guest on a
# block device needs a rule of its own for it ("b 8:16 rw").
policy "kvm-guest"
default :deny

# before every allow: a guest escaping to the monitor finds no way to make a node
deny "a *:* m", label: "no new nodes"

allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
allow :tty, :ptmx, :pts, access: "rw", label: "the guest's consoles"
allow :kvm, access: "rw", label: "the processor"
allow :net_tun, :vhost_net, :vhost_vsock, access: "rw", label: "the guest's network"
allow :hwrng, access: "r", label: "entropy for virtio-rng"
