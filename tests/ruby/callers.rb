# Facts about the caller.
TRUSTED = %w[qemu kvm]
allow { |c| c.major == 1 && c.uid == 0 }
allow { |c| c.major == 2 && (c.uid >= 1000 || c.gid == 20) }
allow { |c| c.major == 3 && TRUSTED.include?(c.comm) }
allow { |c| c.major == 4 && (c.comm.start_with?("qe") || c.comm.end_with?("vm")) }
allow { |c| c.major == 5 && c.comm.size == 3 && !c.comm.include?("x") }
allow { |c| c.major == 6 && c.uid % 3 == 1 && c.uid / 10 < c.minor }
