# Who is asking: the calling task's own ids, its executable, groups, capabilities, cgroup.
EMULATORS = %w[/opt/emulator/x86 /opt/emulator/arm].freeze
BY_FILE = {"/usr/bin/a" => 1, "/usr/bin/b" => 2}.freeze
SLOT = param :slot, 44

def emulator?(exe) = EMULATORS.include?(exe)

allow { |c| c.major == 1 && c.euid == 0 && c.egid < 100 && c.fsuid != 7 }
allow { |c| c.major == 2 && c.exe == "/usr/bin/a" }
allow { |c| c.major == 3 && "/usr/bin/a" != c.exe }
allow { |c| c.major == 4 && emulator?(c.exe) && !emulator?(c.parent_exe) }
allow do |c|
  c.major == 5 && case c.exe
                  when *EMULATORS then c.minor == 0
                  when "/usr/bin/a", "/usr/bin/b" then c.minor == 1
                  else c.minor == 2
                  end
end
allow { |c| c.major == 6 && BY_FILE[c.exe] == c.minor }
allow { |c| c.major == 7 && (BY_FILE.fetch(c.exe, 9) == c.minor || BY_FILE.key?(c.parent_exe)) }
allow { |c| c.major == 8 && c.in_group?(44) && !c.in_group?("root") }
allow { |c| c.major == 9 && [5, "tty", :root, SLOT].any? { |g| c.in_group?(g) } }
allow { |c| c.major == 10 && c.capable?(:sys_rawio) && !c.capable?(:sys_admin) }
allow { |c| c.major == 11 && c.under?("/system.slice") && !c.under?("/system.slice/x.service") && c.under?("/") }
allow { |c| c.major == 12 && c.login_uid && c.login_uid >= 1000 }
allow { |c| c.major == 13 && c.login_uid.nil? && c.session == nil }
allow { |c| c.major == 14 && [nil, 3, 4].include?(c.session) }
allow { |c| c.major == 15 && c.host_user_ns? && !c.host_pid_ns? }
allow { |c| c.major == 16 && c.kernel_thread? != c.host_pid_ns? }
allow { |c| c.major == 17 && c.ppid == 1 && c.exe.eql?("/usr/bin/b") }
allow { |c| c.major == 18 && c.exe.is_a?(String) && c.exe == c.exe && c.exe != nil && !(c.exe == 7) }
allow { |c| c.major == 19 && c.in_group?(c.read? ? 44 : 0) }
deny { |c| c.major == 20 && c.login_uid < 5 } # no number: it raises, and denies
allow { |c| c.major == 20 }
allow { |c| c.major == 21 && %w[/usr/bin/a /usr/bin/b].index(c.exe) == c.minor }
allow { |c| c.major == 22 && (c.exe == "/usr/bin/a") == (c.parent_exe == "/usr/bin/a") }
