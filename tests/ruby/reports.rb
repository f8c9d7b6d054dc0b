# Modes and errnos change no verdict: a test ignores them, in every engine.
mode :permissive
audit :all
deny "c 1:3", errno: :ENXIO
deny("c 1:*", errno: :ENODEV, label: "high") { |ctx| ctx.minor > 5 }
allow "c 1:5 rw"
allow "c 1:7 r"
allow "c 1:7 w"
