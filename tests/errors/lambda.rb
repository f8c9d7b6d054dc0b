allow ->(ctx) { ctx.read? }
