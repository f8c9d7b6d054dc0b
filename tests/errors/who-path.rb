allow { |ctx| ctx.exe == "qemu" }
allow { |ctx| ctx.exe == "" }
allow { |ctx| ctx.exe == "/a/../b" }
allow { |ctx| ctx.exe == "/bin//x" }
allow { |ctx| ctx.exe == "/bin/x/" }
allow { |ctx| ctx.exe == "/" }
allow { |ctx| ctx.exe == "/bin/\0x" }
allow { |ctx| ctx.exe == "/bin/a\nb" }
allow { |ctx| ctx.exe == "/.." }
allow { |ctx| ["/bin/x", "x"].include?(ctx.exe) }
allow { |ctx| ctx.exe == "/" + "a" * 255 }
allow { |ctx| {"qemu" => true}[ctx.parent_exe] }
allow { |ctx| case ctx.exe when "./x" then true end }
