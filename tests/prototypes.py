#!/usr/bin/env python3
"""prototypes.py - each prototype stands under the heading of the file that defines it.

A heading is `/* ---- name.c, other.c: what ---- */`. A header without headings is that of the
file of its own name, or of files whose names begin with it.
"""
import os
import re
import sys

# A text may look like the beginning of a comment.
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|/\*(?! ----).*?\*/', re.S)
HEADING = re.compile(r'^/\* ----.*$', re.M)
PROTOTYPE = re.compile(r'^(?!static|typedef|#|\s|extern)[A-Za-z_][\w\s*]*?[\s*](\w+)\([^;{]*\)[^;{]*;', re.M)
DEFINITION = re.compile(r'^(?!\s|#|return)[A-Za-z_][^;={}()]*?[\s*](\w+)\(', re.M)


def files():
    for top in ('policy', 'compiler', 'cgroup', 'cmd'):
        for folder, _, names in os.walk(top):
            for name in names:
                yield os.path.join(folder, name)


def main():
    sources, headers, defined = [], [], {}
    for path in files():
        (sources if path.endswith('.c') else headers if path.endswith('.h') else []).append(path)
    for path in sources:
        text = COMMENT.sub('', open(path).read())
        for m in DEFINITION.finditer(text):
            end = text.find('{', m.end())
            stop = text.find(';', m.end())
            if end >= 0 and (stop < 0 or end < stop):
                defined.setdefault(m.group(1), set()).add(path)
    wrong = 0
    for path in sorted(headers):
        text = COMMENT.sub('', open(path).read())
        marks = [(m.start(), set(re.findall(r'[a-z0-9_]+(?=\.c)', m.group()))) for m in HEADING.finditer(text)]
        for m in PROTOTYPE.finditer(text):
            places = defined.get(m.group(1), set())
            here = [names for start, names in marks if start < m.start()]
            names = here[-1] if here else set()
            if not places:
                print(f'{path}: {m.group(1)}() is defined nowhere')
                wrong += 1
            elif names and not any(os.path.basename(p)[:-2] in names for p in places):
                print(f'{path}: {m.group(1)}() stands under {", ".join(sorted(names))}, '
                      f'and is defined in {", ".join(sorted(places))}')
                wrong += 1
    return wrong > 0


if __name__ == '__main__':
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    sys.exit(main())
