mode :enforce do
  deny "c 1:3"
end
allow :null
