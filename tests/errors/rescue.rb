allow { |ctx| begin; ctx.major / ctx.minor == 1; rescue; false; end }
