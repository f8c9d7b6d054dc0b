# The programs of people who work at this computer: sound, cameras, the GPU, their own
# file systems. For the slice of one user, or of all:
#
#   sudo rucy-devguard apply workstation.rb user.slice --param session=$(cat /proc/self/sessionid) --param user=$(id -u)
#
# Run this in a terminal of the session that is meant: the number is that of the shell which
# writes it. Over ssh it would be that of the ssh login. For another session, take the number
# from one of its processes: /proc/PID/sessionid.
#
# session  the login session that may make input devices (uinput: for a remote desktop, a
#          screen keyboard, a game pad by software). Who can make one can type as if sitting
#          there. The kernel gives each login the next number: another login of the same user,
#          by ssh, has another. After each login, and after each boot, apply the policy again
#          with the new number: a service of the same user that never logged in can take a
#          number that has not been given yet. 0 is no session's: nobody makes input devices.
# user     the effective user id of that session
#
# Keyboards and mice themselves (c 13) stay closed: the display server gets them, open, from
# logind.
policy "workstation"
default :deny

session = param :session, 0
user = param :user, 1000
raise "session=#{session} is no login session: apply this from a shell of one" if session < 0 || session >= 4294967295

CAMERAS = "c 81:*"
RENDER_NODES = "c 226:128-191"

deny "a *:* m", label: "no new nodes"

allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
allow :tty, :ptmx, :pts, access: "rw", label: "terminals"
allow :snd, access: "rw", label: "sound"
allow :fuse, access: "rw", label: "file systems of users"
allow RENDER_NODES, access: "rw", label: "render nodes"

# A sandbox and a container without root are user namespaces of their own: no cameras there.
allow(CAMERAS, access: "rw", label: "cameras") { |ctx| ctx.host_user_ns? }

allow(:uinput, access: "rw", label: "input devices by software") do |ctx|
  ctx.session == session && ctx.euid == user && ctx.host_user_ns?
end

never :input, access: "rw", label: "nobody reads what is typed"
never(CAMERAS, :uinput, label: "no sandbox sees or types") { |ctx| !ctx.host_user_ns? }
never(:uinput, label: "only one session types") { |ctx| ctx.session != session || ctx.euid != user }
always :null, :tty, access: "rw"
