class Half < Proc
  def initialize_copy(other) = nil
end
allow(&Half.new { |ctx| ctx.read? }.dup)
