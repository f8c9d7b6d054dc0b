#!/usr/bin/env python3
"""terminal.py COLUMNS COMMAND...: runs the command on a terminal of that width, and prints what
it showed there. The exit status is the command's."""
import fcntl
import os
import struct
import subprocess
import sys
import termios

master, slave = os.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 40, int(sys.argv[1]), 0, 0))
child = subprocess.Popen(sys.argv[2:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
os.close(slave)
shown = b''
while True:
    try:
        part = os.read(master, 65536)
    except OSError: # nobody has it open any more
        break
    if not part:
        break
    shown += part
sys.stdout.buffer.write(shown.replace(b'\r\n', b'\n'))
sys.stdout.flush()
sys.exit(child.wait())
