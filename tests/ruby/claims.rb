# Claims change no verdict, stand anywhere among the rules, and are made by methods, loops and blocks.
gpu = param :gpu, 1, in: 0..3
MAJORS = [8, 65]

always :null, :zero, access: "rw"
never(label: "only root has disks") { |ctx| ctx.block? && MAJORS.include?(ctx.major) && ctx.uid != 0 }

def closed(*devices)
  never devices, access: "w", label: "#{devices.size} closed"
end

policy "claims" do
  closed :mem, "c 1:11", "c 1:4"
  MAJORS.each { |major| never "b #{major}:* m" }
end

allow :null, :zero
allow("b 8,65:* rw") { |ctx| ctx.uid == 0 }
deny :mem, label: "memory"
allow("c 195:0-3 rw") { |ctx| ctx.minor == ctx.gpu }
allow("c 1:11 r") { |ctx| raise "no" if ctx.uid == 7; true }

never("c 195:*") { |ctx| ctx.minor != ctx.gpu }
always("c 195:0-3", access: "rw") { |ctx| ctx.gpu == ctx.minor }
never("c 1:11 rwm") { |ctx| ctx.uid == 7 }
always("c 1:3,5") { |ctx| ctx.requested != 0 }
