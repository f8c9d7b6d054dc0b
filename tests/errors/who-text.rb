allow { |ctx| ctx.exe.start_with?("/usr/bin/") }
allow { |ctx| ctx.exe.size > 3 }
allow { |ctx| ctx.parent_exe.include?("qemu") }
allow { |ctx| ctx.exe =~ "qemu" }
allow { |ctx| ctx.exe.under?("/usr/bin") }
allow { |ctx| ctx.exe < "/usr" }
allow { |ctx| "/usr/bin/qemu".start_with?(ctx.exe) }
allow { |ctx| ctx.exe + "x" == "/usr/bin/ax" }
allow { |ctx| "#{ctx.exe}" == "/usr/bin/a" }
allow { |ctx| ctx.exe == ctx.parent_exe }
allow { |ctx| ctx.comm == ctx.exe }
allow { |ctx| ctx.exe.downcase == "/usr/bin/a" }
allow { |ctx| ctx.exe.each_char { |c| return true if c == "q" } }
allow { |ctx| ctx.exe == :qemu }
allow { |ctx| ctx.exe.match?("qemu") }
allow { |ctx| ("/usr".."/var").include?(ctx.exe) }
