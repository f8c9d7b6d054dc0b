allow :null
half = Class.new(String) { def initialize(*) = nil }.new
half.prepend("")
half << "x"
half.missing
