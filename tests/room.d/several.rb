policy "several"
load "lib/gpu.rb"
require_relative "lib/consts"
require_relative "lib/consts"
allow { |ctx| gpu?(ctx, GPU) }
