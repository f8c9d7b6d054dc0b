class Guard
  private

  def secret(ctx) = ctx.major == 1
end
GUARD = Guard.new
allow { |ctx| GUARD.secret(ctx) }
