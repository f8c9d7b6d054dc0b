# What explain says: the order, names, series, conditions, exceptions, and many devices.
allow :null, :zero, :full, :random, :urandom, :tty, :ptmx, :pts, access: "rw"
allow :sda, :sda1, "b 8:16-31", "b 9:*", access: "r"
deny :mem, :port
deny(:kmsg) { |ctx| ctx.gid == 5 || ctx.uid.between?(1000, 1999) }
allow "c 1:0-40 rw"
allow "c 4:0-70 rw", "c 13:* r", "b 7:*", "c 29-31:* rw"
allow(:kvm, access: "rw") { |ctx| ctx.comm == "qemu-system-x86" }
allow(:tun, access: "rw") { |ctx| ctx.comm.start_with?("openvpn") }
allow(:fuse) { |ctx| ctx.uid != 65_534 }
allow(:loop_control) { |ctx| ctx.uptime < 60 && (ctx.uid == 0 || ctx.gid == 6) && ctx.requested != 6 }
allow(:hpet, access: "r") { |ctx| (ctx.uid * 7 + ctx.gid) % 5 == 3 }
(0..999).each { |i| allow "c 188:#{3 * i} rw" }
(0..99).each { |i| allow "c #{512 + 2 * i}:#{i} rw" }
allow "a *:* m"
