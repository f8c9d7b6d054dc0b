#!/usr/bin/env python3
"""columns.py WIDTH: do the columns of `stats` and `audit` (stdin) stand below each other, and fit
into WIDTH columns (0: any)? Prints what does not."""
import re
import sys
import unicodedata

NUMBER = r'\((?:c|b) \d+:\d+\)'
ACCESS = r'(?:read|write|mknod|none)(?: \(of [rwm]+\))?'
LINE = re.compile(rf'^(?P<before>.*?)(?P<verdict>deny|permitted|allow) +(?P<access>{ACCESS}) +(?P<device>/dev/.*?{NUMBER}) *(?P<rest>.*)$')


def columns(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


def main():
    width = int(sys.argv[1])
    places, rows = {}, 0
    for line in sys.stdin.read().splitlines():
        line = re.sub(r'\x1b\[[0-9;]*m', '', line)
        found = LINE.match(line)
        if not found:
            continue
        rows += 1
        for name in ('verdict', 'access', 'device', 'rest'):
            if found[name]:
                places.setdefault(name, set()).add(columns(line[:found.start(name)]))
        if width and columns(line.rstrip()) > max(width, 64):
            print(f'wider than {width}: {line}')
    for name, at in places.items():
        if len(at) != 1:
            print(f'{name} begins at {sorted(at)}')
    if rows < 4:
        print(f'only {rows} rows')


main()
