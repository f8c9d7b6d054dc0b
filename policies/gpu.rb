# One NVIDIA card and one DRI render node, for a compute job.
#
#   rucy-devguard apply gpu.rb CGROUP --param gpu=1 --param render=129 --param uvm=511
#
# gpu     the card: /dev/nvidia<gpu>
# render  the render node: /dev/dri/renderD<render>; its order need not be the
#         order of the cards: see /dev/dri/by-path
# uvm     the major number of nvidia-uvm, which the kernel gives when the module
#         is loaded (grep uvm /proc/devices); 0 is a host without it
#
# Jobs do not make nodes here. Cards that set video modes (/dev/dri/card*,
# nvidia-modeset) stay closed.
policy "gpu"
default :deny

param :gpu, 0, in: 0..15
param :render, 128, in: 128..191
uvm = param :uvm, 0

allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
allow :tty, :ptmx, :pts, access: "rw", label: "terminals"

allow "c 195:0-15 rw", label: "the card" do |ctx|
  ctx.minor == ctx.gpu
end
allow :nvidiactl, access: "rw", label: "the driver's control node"
allow "c #{uvm}:0-1 rw", label: "unified memory" if uvm > 0

allow "c 226:128-191 rw", label: "the render node" do |ctx|
  ctx.minor == ctx.render
end
