allow :null
s = "a" * 10
s.setbyte(3, 300)
t = s[2, 4]
s.replace(t * 1000)
s.slice!(5, 900)
"%*d" % [2**40, 1] rescue nil
"a" * 2**61 rescue nil
t.missing
