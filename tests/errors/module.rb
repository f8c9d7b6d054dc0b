module M
  def self.disk?(c) = c.block?
end
allow { |ctx| M.nope(ctx) }
allow { |ctx| M.dsk?(ctx) }
allow { |ctx| M::LIST.include?(ctx.minor) }
