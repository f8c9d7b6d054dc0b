allow :null
def f(n) = [1].each { |x| f(n + 1) }
f(0)
