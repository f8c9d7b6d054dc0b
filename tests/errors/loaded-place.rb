policy "loaded-place"
require_relative "lib/loaded"
allow { |ctx| odd }
