default :allow
deny(:tty) { |ctx| raise "no" if ctx.minor == 0 }

always :tty, label: "terminals"
