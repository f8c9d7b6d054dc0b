# A desktop application that plays, records and sees: sound cards, cameras and the
# render nodes of the GPU. Not the keyboard and mouse (c 13), and not the cards
# that set video modes.
#
# The parameter `camera` closes the cameras: --param camera=0
policy "audio-video"
default :deny

CAMERAS = "c 81:*"
RENDER_NODES = "c 226:128-191"

param :camera, 1, in: 0..1

allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
allow :tty, :ptmx, :pts, access: "rw", label: "terminals"

allow :snd, access: "rw", label: "sound"
allow(RENDER_NODES, access: "rw", label: "render nodes")
allow(CAMERAS, access: "rw", label: "cameras") { |ctx| ctx.camera == 1 }
