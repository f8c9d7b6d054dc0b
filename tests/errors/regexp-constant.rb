QEMU = /qemu/
allow { |ctx| QEMU.match?(ctx.comm) }
