allow :null
def never(*devices, **keywords)
end
never "b *:*"
