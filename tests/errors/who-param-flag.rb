flag = param :host_user_ns, 1, in: 0..3
