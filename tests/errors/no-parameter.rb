def disk? = major == 8
allow { read? }
allow { ctx.major == 3 }
allow { |c| ctx.major == 3 }
allow { |c| minor == 3 }
allow { |ctx| disk? }
allow { |ctx| ctx.type == char }
