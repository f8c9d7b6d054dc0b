#!/usr/bin/env python3
"""examples.py - every example in every document is run.

A block of a document (fenced, indented, or .nf of a man page) is one of these:

    ```console    each line with `$ ` is a command, what follows is what it prints
    ```sh         commands, pasted into a shell together; a ```text block right behind it is what
                  they print, without one each must succeed
    `NAME`:       before a block: it is the file of that name
    a line of examples.txt says what it is, or why it is not run

and everything else is a failure. The blocks of a document are run in their order in one directory.
What the machine decides (program and process numbers, times, where cgroups are mounted) is the same
on both sides. Prints `ok WHAT`, `not ok WHAT: why` with lines of detail behind a tab, `skip WHAT: why`.
"""
import difflib
import fcntl
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOL = os.environ.get('DEVGUARD', os.path.join(ROOT, 'build/rucy-devguard'))
TABLE = 'tests/examples.txt'
CLOSED = os.environ.get('EXAMPLES_CLOSED', '')  # why the kernel cannot be asked
ASKS_KERNEL = re.compile(r'rucy-devguard (run|test|apply|detach|status|audit|stats|list)\b')
SECONDS = 120


class Block:
    def __init__(self, document, section, kind, name, line):
        self.document, self.section, self.kind, self.name, self.line = document, section, kind, name, line
        self.lines = []
        self.output = None # of a block of commands, the block behind it

    def first(self):
        return next((line.strip() for line in self.lines if line.strip()), '')

    def __str__(self):
        return f'{self.document}:{self.line}: {self.first()}'


# ---- reading documents ----------------------------------------------------------------------


def documents():
    found = [path for depth in ('*', '*/*', '*/*/*') for path in glob.glob(depth + '.md', root_dir=ROOT)]
    found += [path for number in '1578' for path in glob.glob('*/*.' + number, root_dir=ROOT)]
    return sorted(path for path in set(found) if not path.startswith(('build', 'shared/')))


def of_markdown(document, text):
    blocks, section, fence, last = [], '', None, ''
    for number, line in enumerate(text.splitlines(), 1):
        if fence is not None:
            if line.startswith('```'):
                fence = None
                last = '```'
            else:
                fence.lines.append(line)
        elif line.startswith('```'):
            name = re.match(r'^`([\w.-]+)`:$', last)
            fence = Block(document, section, line[3:] or 'plain', name.group(1) if name else None, number)
            if fence.kind == 'text' and blocks and last == '```' and blocks[-1].kind == 'sh':
                blocks[-1].output = fence.lines
            else:
                blocks.append(fence)
        elif line.startswith(('    ', '\t')) and (not last or last == 'code'):
            if last != 'code' and not (blocks and blocks[-1].kind == 'indented' and blocks[-1].open):
                blocks.append(Block(document, section, 'indented', None, number))
                blocks[-1].open = True
            blocks[-1].lines.append(line[4:])
            last = 'code'
        else:
            if line:
                if blocks and blocks[-1].kind == 'indented':
                    blocks[-1].open = False
                last = line
                if line.startswith('#'):
                    section = line
            elif last == 'code' or not last.startswith('`'):
                last = ''
    return blocks


def of_man(document, text):
    blocks, section, block = [], '', None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(('.SH ', '.SS ')):
            section = line
        elif line in ('.nf', '.EX'):
            block = Block(document, section, 'man', None, number)
            blocks.append(block)
        elif line in ('.fi', '.EE'):
            block = None
        elif block:
            line = re.sub(r'\\f[A-Z]', '', line).replace('\\-', '-').replace('\\(dq', '"').replace('\\(aq', "'").replace('\\e', '\\')
            block.lines.append(re.sub(r'^\\&', '', line))
    return blocks


def table():
    """[(document, place, what, used)]: place is a section, or the first line of a block."""
    rows = []
    for number, line in enumerate(open(os.path.join(ROOT, TABLE)), 1):
        if line.strip() and not line.startswith('#'):
            cells = re.split(r'\t+', line.rstrip('\n'))
            if len(cells) != 3:
                sys.exit(f'{TABLE}:{number}: not three cells')
            rows.append(cells + [False])
    return rows


# ---- running them -----------------------------------------------------------------------------


def steady(line):
    """A line of output without what the machine decides."""
    was = line = re.sub(r'uid \d+ kept \([^)]*\);', 'uid 65534,', line) # not root
    line = re.sub(r'\b(program|programs?) \d+', r'\1 N', line)
    line = re.sub(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?', 'TIME', line)
    line = re.sub(r'(?<=\w)\[\d+\]', '[PID]', line)
    line = re.sub(r'/sys/fs/cgroup(/unified)?', 'MOUNT', line)
    line = re.sub(r'\b(tag|digest) [0-9a-f]{16}', r'\1 N', line)
    line = re.sub(r'generation \d+', 'generation N', line)
    return re.sub(r' +', ' ', line) if line != was else line


def differs(want, got):
    if CLOSED:
        want = [line for line in want if not line.startswith('  kernel: ')]
        got = [line for line in got if not line.startswith('  kernel: ')]
    want = [steady(line) for line in want]
    got = [steady(line) for line in got]
    while want and not want[-1]:
        want.pop()
    return [] if want == got else list(difflib.unified_diff(want, got, 'printed in the document', 'printed by the command', lineterm=''))


def shell(script, where, path, stop=False):
    """(status, lines of output) of a script; one whose lines must all succeed ends with the first that does not."""
    run = subprocess.run(['bash', *(['-e', '-o', 'pipefail'] if stop else []), '-c', script], cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, timeout=SECONDS, check=False, text=True, errors='replace',
                         env={**os.environ, 'PATH': path + ':' + os.environ['PATH']})
    return run.returncode, run.stdout.splitlines()


MARK = '--- end of the command ---'
SESSION = []


def typed(command, where, path):
    """Lines of output of a command in the document's own shell, whose variables stay."""
    if not SESSION:
        SESSION.append(subprocess.Popen(['bash'], cwd=where, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, errors='replace', env={**os.environ, 'PATH': path + ':' + os.environ['PATH']}))
    session, lines = SESSION[0], []
    signal.alarm(SECONDS)
    session.stdin.write(f'{{ {command}\n}} </dev/null; echo; echo "{MARK}"\n')
    session.stdin.flush()
    for line in session.stdout:
        if line == MARK + '\n':
            break
        lines.append(line)
    signal.alarm(0)
    return ''.join(lines)[:-1].splitlines()


def end_session():
    if SESSION:
        session = SESSION.pop()
        session.stdin.close()
        session.stdout.close()
        session.wait()


# ---- cgroups that examples make ------------------------------------------------------------------


class Cgroups:
    """Those of a document: their names are printed, so only one run at a time may have them, and
    none may be there already. What is left of them in the end is removed."""

    def __init__(self, blocks):
        made = re.findall(r'mkdir \$cgroups/(\w+)', '\n'.join(line for block in blocks for line in block.lines))
        mounts = subprocess.run(('findmnt', '-n', '-o', 'TARGET', '-t', 'cgroup2'), capture_output=True, text=True, check=False).stdout.split()
        self.paths, self.lock = [], None
        if made and mounts and not CLOSED:
            self.lock = os.open(mounts[0], os.O_RDONLY)
            fcntl.flock(self.lock, fcntl.LOCK_EX)
            self.paths = [os.path.join(mounts[0], name) for name in made]
        for path in self.paths:
            told(f'{path} is free for the examples', ['it is there already'] if os.path.exists(path) else [])
        self.paths = [path for path in self.paths if not os.path.exists(path)]

    def close(self):
        for path in self.paths:
            if os.path.exists(path):
                os.rmdir(path) # with what is attached
        if self.lock is not None:
            os.close(self.lock)


def told(what, why):
    print('\n\t'.join([f'not ok {what}: {why[0]}', *why[1:]]) if why else f'ok {what}', flush=True)


def run_console(block, where, path):
    commands = []
    for line in block.lines:
        if line.startswith('$ '):
            commands.append((line[2:], []))
        elif commands:
            commands[-1][1].append(line)
    if not commands:
        told(str(block), ['it has no command'])
    closed = CLOSED and any(ASKS_KERNEL.search(command) for command, _ in commands)
    for command, want in commands:
        if closed and not re.search(r'rucy-devguard (check|eval|compile) ', command):
            print(f'skip {block.document}: {command}: {CLOSED}')
            continue
        told(f'{block.document}: {command}', differs(want, typed(command, where, path)))


def run_script(block, where, path):
    script = '\n'.join(block.lines)
    if CLOSED and ASKS_KERNEL.search(script):
        print(f'skip {block}: {CLOSED}')
        return
    status, got = shell(script, where, path, block.output is None)
    if block.output is not None:
        told(str(block), differs(block.output, got))
    else:
        told(str(block), [] if status == 0 else [f'status {status}', *got])


def run_policy(block, where, path, cases=None):
    """A whole policy; with cases, the block is the cases of that policy."""
    text = '\n'.join(block.lines) + '\n'
    with open(os.path.join(where, 'block.rb'), 'w') as policy:
        policy.write(cases + '\n' if cases else text)
    with open(os.path.join(where, 'block.cases'), 'w') as file:
        file.write(text)
    status, got = shell('rucy-devguard check block.rb' if not cases else 'rucy-devguard test block.rb', where, path)
    told(str(block), [] if status == 0 else [f'status {status}', *got])


def run_manifest(block, where, path):
    text = '\n'.join(block.lines).replace('/etc/rucy-devguard/policies', os.path.join(where, 'policies-of-root'))
    with open(os.path.join(where, 'guard.yaml'), 'w') as file:
        file.write(text + '\n')
    status, got = shell('cp -rL policies policies-of-root && rucy-devguard check guard.yaml', where, path)
    if os.getuid():
        print(f'skip {block}: policies of a manifest must be of root')
    else:
        told(str(block), [] if status == 0 else [f'status {status}', *got])


def run(block, what, where, path):
    word, _, rest = what.partition(' ')
    if block.name and word not in ('not', 'part'):
        with open(os.path.join(where, block.name), 'w') as file:
            file.write('\n'.join(block.lines) + '\n')
    elif word == 'console':
        run_console(block, where, path)
    elif word == 'sh':
        run_script(block, where, path)
    elif word == 'policy':
        run_policy(block, where, path)
    elif word == 'cases':
        run_policy(block, where, path, rest)
    elif word == 'manifest':
        run_manifest(block, where, path)
    elif word == 'part': # a part of a file that is here
        whole = open(os.path.join(ROOT, rest)).read()
        told(str(block), [] if '\n'.join(block.lines).strip() in whole else [f'it is not in {rest}'])
    elif word == 'not' and rest:
        print(f'ok {block} is not run: {rest}')
    else:
        told(str(block), [f'nothing says how it is run: make it ```console or ```sh, or give it a line in {TABLE}'])


def main():
    rows = table()
    for document in documents():
        text = open(os.path.join(ROOT, document)).read()
        blocks = (of_markdown if document.endswith('.md') else of_man)(document, text)
        with tempfile.TemporaryDirectory() as where:
            os.chmod(where, 0o755)
            os.makedirs(os.path.join(where, 'bin'))
            os.makedirs(os.path.join(where, 'here/build'))
            os.symlink(TOOL, os.path.join(where, 'bin/rucy-devguard'))
            os.symlink(TOOL, os.path.join(where, 'here/build/rucy-devguard'))
            os.symlink(os.path.join(ROOT, 'policies'), os.path.join(where, 'here/policies'))
            cgroups = Cgroups(blocks)
            for block in blocks:
                row = next((row for row in rows if row[0] == document and row[1] == block.first()), None) or \
                    next((row for row in rows if row[0] == document and row[1] == block.section), None)
                for one in rows: # a section's line holds for those of its blocks that have none
                    one[3] |= one is row or (one[0] == document and one[1] == block.section)
                run(block, row[2] if row else block.kind, os.path.join(where, 'here'), os.path.join(where, 'bin'))
            end_session()
            cgroups.close()
    for document, place, _, used in rows:
        if not used and os.path.exists(os.path.join(ROOT, document)):
            print(f'not ok {TABLE}: {document} has no block or section "{place}"')


if __name__ == '__main__':
    sys.exit(main())
