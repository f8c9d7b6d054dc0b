#!/usr/bin/env python3
"""lessons.py - policies/lessons/README.md, run as it is printed.

A section has blocks. ```sh is typed in the second terminal. ```console is a command that begins with `$ `, and what it
prints: `rucy-devguard trace` and `watch` go on until what is printed has been seen, and then get Ctrl-C, `^C` in the
document; others are run to their end. What is printed is compared in its shape: numbers, bars and names of processes
may be others. Prints `ok WHAT`, `not ok WHAT: why` with lines of detail behind a tab, `skip WHAT: why`.

$KPROBES, $CLOSED: why functions of the kernel, or the kernel, cannot be watched here. $TOO_NEW: files that need a newer
kernel. $DISK: why there are no requests to disks. $CG: a scratch cgroup, /lesson in the document.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LESSONS = os.path.join(ROOT, 'policies/lessons')
TOOL, CG = os.environ['DEVGUARD'], os.environ.get('CG', '')
KPROBES, CLOSED = os.environ.get('KPROBES', ''), os.environ.get('CLOSED', '')
DISK = os.environ.get('DISK', '')
TOO_NEW = os.environ.get('TOO_NEW', '').split()
SECONDS = 40
# Processes that the document shows. Another one may be seen in their place.
NAMES = r'\b(bash|sh|ls|dd|cat|head|python3|make|cc1?|mkdir|echo|grep|sleep|as)(?=[\[ ]|$)'


def sections():
    """[(heading, [(kind, lines)])]"""
    found, fence = [], None
    for line in open(os.path.join(LESSONS, 'README.md')):
        line = line.rstrip('\n')
        if fence is not None and line == '```':
            fence = None
        elif fence is not None:
            fence.append(line)
        elif line.startswith('```'):
            fence = []
            found[-1][1].append((line[3:], fence))
        elif line.startswith('## '):
            found.append((line[3:], []))
    return found


def shape(line):
    """What a line of the document says of a line that is seen."""
    line = re.sub(NAMES, '\1', re.sub(r'^\^C', '', line.strip()))
    line = re.escape(re.sub(r' +', ' ', re.sub(r'\|[* ]+\|', '\2', line))).replace('\\-', '-')
    line = re.sub(r'-?\d+', lambda m: r'-?\d+', line)
    line = re.sub(r'\b(line|record)s?\b', r'\1s?', line)
    line = line.replace('\1', '.{1,15}?').replace('\2', r'\|[* ]*\|').replace(r'\ ', ' +')
    return re.compile(r'\s*' + line + r'\s*$')


def here(text):
    """The document's cgroup and its mount are those of this run."""
    text = text.replace('/sys/fs/cgroup/lesson', CG)
    return re.sub(r'(?<= )/lesson\b', '/' + os.path.basename(CG), text)


def there(line):
    return line.replace(CG, '/sys/fs/cgroup/lesson').replace('/' + os.path.basename(CG), '/lesson') if CG else line


def told(what, why):
    print('\n\t'.join([f'not ok {what}: {why[0]}', *why[1:]]) if why else f'ok {what}', flush=True)


def unseen(want, got):
    return [line for line in want if not any(shape(line).match(seen) for seen in got)]


def unknown(want, got):
    return [seen for seen in got if seen and not any(shape(line).match(seen) for line in want)]


def differs(want, got):
    missing, other = unseen(want, got), unknown(want, got)
    return ['it is not as in the document', *('not seen: ' + line for line in missing), *('seen: ' + line for line in other[:20])] \
        if missing or other else []


def typed(command, path):
    run = subprocess.run(['bash', '-c', here(command)], cwd=LESSONS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=SECONDS, check=False, text=True, errors='replace', env={**os.environ, 'PATH': path + ':' + os.environ['PATH']})
    return [there(line) for line in run.stdout.splitlines()]


def live(command, want, second, path):
    """A command that goes on until Ctrl-C, and a second terminal."""
    cut = next((i for i, line in enumerate(want) if line.startswith('^C')), len(want))
    want = [line for line in want if line != '^C']
    with tempfile.TemporaryFile('w+', errors='replace') as out:
        tool = subprocess.Popen(here(command).split(), cwd=LESSONS, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                env={**os.environ, 'PATH': path + ':' + os.environ['PATH']})

        def seen():
            out.flush()
            position = os.lseek(out.fileno(), 0, os.SEEK_CUR)
            text = os.pread(out.fileno(), position, 0).decode(errors='replace')
            return [there(line) for line in text.splitlines()]

        def wait_for(lines, until):
            while unseen(lines, seen()) and tool.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
            return not unseen(lines, seen())

        until = time.monotonic() + SECONDS
        wait_for(want[:1], until)
        while tool.poll() is None and time.monotonic() < until:
            typed('\n'.join(second), path)
            if wait_for(want[:cut], min(until, time.monotonic() + 2)):
                break
        if tool.poll() is None:
            tool.send_signal(signal.SIGINT)
        try:
            status = tool.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            tool.kill()
            status = tool.wait()
        got = seen()
    return ([] if status == 0 else [f'status {status}', *got[-20:]]) or differs(want, got)


def run_section(heading, blocks, path):
    too_new = any(name in line for kind, lines in blocks if kind == 'console' for line in lines for name in TOO_NEW)
    second = next((lines for kind, lines in blocks if kind == 'sh'), [])
    for kind, lines in blocks:
        commands = []
        for line in lines if kind == 'console' else []:
            if line.startswith('$ '):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
        for command, want in commands:
            what = f'{heading}: {command}'
            lives = re.match(r'rucy-devguard (trace|watch) ', command)
            if CLOSED and not re.match(r'rucy-devguard (eval|compile) ', command):
                print(f'skip {what}: {CLOSED}')
            elif too_new:
                print(f'skip {what}: it needs a newer kernel')
            elif DISK and 'histogram' in command:
                print(f'skip {what}: {DISK}')
            elif lives and KPROBES and 'tcp-connect' in command:
                print(f'skip {what}: {KPROBES}')
            else:
                told(what, live(command, want, second, path) if lives else differs(want, typed(command, path)))


def main():
    found = sections()
    files = {name for name in os.listdir(LESSONS) if name.endswith('.rb')}
    text = open(os.path.join(LESSONS, 'README.md')).read()
    told('the page has every lesson', [f'not {name}' for name in sorted(files) if f'`{name}`' not in text])
    with tempfile.TemporaryDirectory() as path:
        os.symlink(TOOL, os.path.join(path, 'rucy-devguard'))
        for heading, blocks in found:
            if not sys.argv[1:] or heading.split('.')[0] in sys.argv[1:]:
                run_section(heading, blocks, path)


if __name__ == '__main__':
    main()
