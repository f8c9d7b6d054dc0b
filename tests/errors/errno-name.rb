deny "c 1:3", errno: :ENODEW
