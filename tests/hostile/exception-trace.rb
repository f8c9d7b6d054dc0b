allow :null
raise RuntimeError, "x", ["exception-trace.rb:99999999999999999999: x"]
