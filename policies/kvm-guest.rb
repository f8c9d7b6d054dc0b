# What a virtual machine monitor such as QEMU needs: KVM, networking by tap and
# vhost, and nothing of the host's hardware. Disk images are files; a guest on a
# block device needs a rule of its own for it ("b 8:16 rw").
#
# KVM and the network are for the files below, as root installed them on this host. A copy of
# QEMU, another program, and a program that calls itself qemu do not get them. But whoever may
# run QEMU can run code in it (LD_PRELOAD, ptrace), and a shell that a guest escapes to has
# QEMU's user. To keep QEMU's file from others: chgrp kvm FILE; chmod 750 FILE.
#
# A path that this host does not have matches nothing: write that of your monitor, here and in
# kvm-guest.cases. After an upgrade of QEMU its new file is denied until you apply the policy
# again; from then on guests that still run the old file open no more devices: restart them.
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

never(:kvm, label: "no file but QEMU's opens KVM") { |ctx| !QEMU.include?(ctx.exe) }
