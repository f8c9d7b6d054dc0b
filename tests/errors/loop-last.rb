# `end while` in a comment or a "string; end while" is none
allow do |ctx|
  i = 0
  begin
    i += 1
  end while i < 0
  ctx.minor == i
end
allow { |ctx| "end while" == ctx.comm }
