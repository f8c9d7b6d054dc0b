gpu = param :gpu, 0, in: 0..3

allow("b 8:*", label: "the backup") { |ctx| ctx.comm == "rsync" || ctx.uid == 0 }
allow("c 195:0-3 rw") { |ctx| ctx.minor == ctx.gpu }

never("b *:*", label: "only root has disks") { |ctx| ctx.uid != 0 }
never "c 195:2"
