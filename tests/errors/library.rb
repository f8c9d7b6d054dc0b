allow { |ctx| [3, 1, 2].each_slice(2).to_a == [] }
allow { |ctx| ([ctx.major] & [1, 2]).any? }
allow { |ctx| ([ctx.major] <=> [1]) == 0 }
allow { |ctx| 1.step(ctx.major, 2) { |x| return true if x == 3 }; false }
allow { |ctx| { 1 => 2 }.fetch(ctx.major) == 2 }
allow { |ctx| `ls` == "" }
allow { |ctx| [ctx.cgroup_id, ctx.cgroup_id].inject(:*) > 3 }
allow { |ctx| [ctx.major, "x"].max == 3 }
allow { |ctx| [1, 2].sum == ctx.major }
