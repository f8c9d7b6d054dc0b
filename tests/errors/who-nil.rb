allow { |ctx| ctx.login_uid > 999 }
allow { |ctx| ctx.session + 1 == 2 }
allow { |ctx| ctx.host_user_ns }
allow { |ctx| ctx.kernel_thread }
allow { |ctx| ctx.host_pid_ns?(1) }
allow { |ctx| ctx.euid == "root" }
