class Class
  alias half allocate
end
allow :null
Proc.half.call
