allow(missing: :skip) { |ctx| ctx.char? }
