Object::ArgumentError = 1
NameError = nil
NoMethodError = "x"
allow "c 1;3"
