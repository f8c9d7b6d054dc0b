exe = param :exe, 1, in: 0..3
