class Never
  def ==(other) = false
end
allow { |ctx| n = Never.new; n == n && ctx.char? }
