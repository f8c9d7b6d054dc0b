allow(&Proc.allocate)
