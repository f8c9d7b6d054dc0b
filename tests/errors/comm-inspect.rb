allow { |c| c.comm.inspect == "x" }
