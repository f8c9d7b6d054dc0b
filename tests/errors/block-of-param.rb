gpu = param :gpu, 0, in: 0..3 do
  deny "c 1:3"
end
allow :null
