#!/usr/bin/env python3
"""copies.py - damaged copies of a bundle: each ends with a failure, and does nothing.

copies.py BUNDLE CGROUP: cut at every 1,000th byte, and with one bit changed, each tries to apply itself.
FLIPS=N: so many bits (2,000), SEED=N. Prints what went wrong; the last line counts.
"""
import collections
import os
import random
import shutil
import subprocess
import sys


def tried(path, words):
    """'kernel' (it is no program any more), 'damaged' (it says so), 'killed', 'failed', or what else happened."""
    try:
        done = subprocess.run([path, *words], capture_output=True, timeout=20)
    except OSError:
        return 'kernel'
    except subprocess.TimeoutExpired: # its start-up code was changed to a loop, which was killed
        return 'killed'
    if done.returncode == 0 or done.stdout:
        return f'status {done.returncode}: {done.stdout + done.stderr}'
    # what looks, or tells, may be what is damaged
    return 'killed' if done.returncode < 0 else 'damaged' if b': error: this file is damaged' in done.stderr else 'failed'


def put(path, at, byte):
    with open(path, 'r+b') as f:
        f.seek(at)
        f.write(bytes([byte]))


def main():
    bundle, cgroup = sys.argv[1:]
    data = open(bundle, 'rb').read()
    path = bundle + '.copy'
    fine, wrong = collections.Counter(), 0

    def note(what, how):
        nonlocal wrong
        result = tried(path, ['apply', cgroup])
        fine[how, result] += 1
        if result not in ('kernel', 'damaged', 'killed', 'failed'):
            wrong += 1
            print(f'{what}: {result}')

    shutil.copy(bundle, path)
    pick = random.Random(int(os.environ.get('SEED', 1)))
    for _ in range(int(os.environ.get('FLIPS', 2000))):
        at, bit = pick.randrange(len(data)), pick.randrange(8)
        put(path, at, data[at] ^ 1 << bit)
        note(f'bit {bit} of byte {at}', 'changed')
        put(path, at, data[at])
    for n in sorted({*range(0, len(data), 1000), *range(len(data) - 200, len(data))}, reverse=True):
        os.truncate(path, n)
        note(f'cut at {n}', 'cut')
    os.unlink(path)
    told, flips = fine['changed', 'damaged'], sum(n for (how, _), n in fine.items() if how == 'changed')
    if told < flips * 0.97:
        wrong += 1
        print(f'only {told} of {flips} changed copies say that they are damaged')
    print(' '.join(f'{how}-{result}={n}' for (how, result), n in sorted(fine.items())))
    sys.exit(1 if wrong else 0)


main()
