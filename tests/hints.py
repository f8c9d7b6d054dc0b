#!/usr/bin/env python3
"""hints.py - hints are followed, as printed, by somebody who does nothing else: what they were about
must be gone then, and nothing wider than what was asked may be allowed.

The policies of errors/ and some of its own; a hint is followed where it names what to write:
`did you mean X?`, `write X` (X in quotes or backquotes, a symbol, a number), `leave it out`. Of the others only
people can say whether they help. Prints `ok WHAT` or `not ok WHAT: why`, a line each.
"""
import difflib
import glob
import os
import re
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
TOOL = os.environ.get('DEVGUARD', os.path.join(os.path.dirname(TESTS), 'build/rucy-devguard'))
MESSAGE = re.compile(r'^(?P<file>[^:\n]+):(?P<line>\d+): (?P<level>error|warning): (?P<text>[^\n]*)\n(?:    [^\n]*\n)*?  hint: (?P<hint>[^\n]*)', re.M)
LEAST = 20 # hints of errors/ that are followed

# One device was asked for, and there is none of that name: what is proposed may not be many.
ONE = [':nul', ':sda16', ':sdaa99', ':ttyUSBO', ':ttyUSB256', ':nvidia256', ':hidrawO', ':tpm256', ':loop256', ':renderD12',
       ':nvme0n', ':vida0', ':rtcO', ':card256', '/dev/nul', '/dev/zer0 rw', '/dev/sdx r', 'c1:3 rw', '1:3 w', 'dev/null r', 'char-kvm r', 'char-pst w', 'block-pts r', 'char-136 rw', 'c 1:3rw', '1:3', 'dev/null',
       'c 1:3 R', 'char 1:3', ':NULL', ':dev_null', 'null', ':tty64', ':sda1p1']
# Under default :allow, what leads around a denial.
BESIDE = ['deny :tpm', 'deny :sda', 'deny :input', 'deny :nvidia', 'deny "c 195:*"']
COMMANDS = [['aply', 'x'], ['evl', 'ok.rb', 'c 1:3 r'], ['eval', 'ok', 'c 1:3 r'], ['chek', 'ok.rb'], ['check', '--verbsoe', 'ok.rb'],
            ['compile', '--emit=diagam', 'ok.rb'], ['devices', 'nulll'], ['help', 'comple'], ['import', 'dcoker', 'c 1:3 r'],
            ['eval', 'ok.rb', '/dev/nul r'], ['eval', 'ok.rb', 'c 1:3'], ['eval', 'ok.rb', '/dev/null'], ['eval', 'ok.rb', 'c1:3 r'],
            ['eval', 'ok.rb', 'c 1:3r'], ['eval', 'ok.rb', 'c 1:3 r uidd=3'], ['eval', 'caller.rb', 'c 1:3 r'], ['check', 'ok.rb', '--param', 'gpus=1']]


def tool(*words):
    run = subprocess.run((TOOL, *words), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return run.returncode, run.stdout + run.stderr


def told(what, why):
    print(f'not ok {what}: {why}' if why else f'ok {what}')


def proposal(hint):
    """What a hint says to write, as it is to be written; None when a person must think."""
    for form in (r'did you mean (?P<x>\S.*?)\?(?:$|;)', r'(?:^|: )write (?P<x>"[^"]*")(?:$|;)', r'(?:^|: )write `(?P<x>[^`]*)`(?:$| or|,|:|;)',
                 r'(?:^|: )write (?P<x>:\w+|\d+)(?:$|, not|;)', r'(?:^|: )write (?P<x>[cb] \S+) instead of the path'):
        found = re.search(form, hint)
        if found and '...' not in found['x']:
            return found['x'].strip('`')
    return None


def token_for(line, text, new):
    """The word of a line that a proposal is for: one that the message names, or else the most like it."""
    named = re.findall(r"'([^']+)'|`([^`]+)`|(\"[^\"]*\")|(?<!\w)(:\w+)", text)
    for words in named:
        word = next(word for word in words if word)
        for form in (word, word.strip('"')):
            if form in line and form != new:
                return form
    words = re.findall(r'"[^"]*"|:\w+|[\w.]+[?!]?|\S', line)
    near = difflib.get_close_matches(new, [word for word in words if word != new], 1, 0.3)
    return near[0] if near else None


def follow(source, message):
    """The text of the policy after it, or None."""
    lines = source.split('\n')
    line = lines[int(message['line']) - 1]
    if re.search(r'^(leave it out|remove it)$', message['hint']):
        lines[int(message['line']) - 1] = ''
        return '\n'.join(lines)
    new = proposal(message['hint'])
    if new and line.split()[:1] == new.split()[:1]: # a whole statement
        lines[int(message['line']) - 1] = new
        return '\n'.join(lines)
    old = new and token_for(line, message['text'], new)
    if not old:
        return None
    if new.startswith('"') and not old.startswith('"'):
        new = new if f'"{old}"' not in line else new.strip('"')
    elif old.startswith('"') and not new.startswith(('"', ':')):
        new = f'"{new}"'
    if ' instead of the path' in message['hint']: # the letters behind it stay
        old = re.search(r'/dev/[^ "]*', line)[0]
        new = new.strip('"')
    lines[int(message['line']) - 1] = line.replace(old, new, 1)
    return '\n'.join(lines)


def check_corpus():
    followed = 0
    for path in sorted(glob.glob(os.path.join(TESTS, 'errors/*.rb'))):
        name = os.path.basename(path)
        said = open(path[:-3] + '.err').read()
        message = MESSAGE.search(said)
        if not message or message['level'] != 'error' or message['file'] != name:
            continue
        source = open(path).read()
        after = follow(source, message)
        if after is None or after == source:
            continue
        followed += 1
        with open(name, 'w') as file:
            file.write(after)
        _, got = tool('check', name)
        same = [m for m in MESSAGE.finditer(got) if m['text'] == message['text'] and m['line'] == message['line']]
        told(f'{name}: {message["hint"]}', f'it is said again of {after.splitlines()[int(message["line"]) - 1]!r}' if same else '')
        os.unlink(name)
    told(f'{LEAST} hints of errors/ are followed', '' if followed >= LEAST else f'only {followed}')


def check_one():
    """What is proposed for one device: the numbers it stands for must be one device's."""
    for asked in ONE:
        written = asked if asked.startswith(':') else f'"{asked}"'
        with open('one.rb', 'w') as file:
            file.write(f'allow {written}\n')
        status, got = tool('check', 'one.rb')
        message = MESSAGE.search(got)
        if status != 3 or not message:
            told(f'allow {written}', f'it is not refused with a hint: {got}')
            continue
        new = proposal(message['hint'])
        if not new:
            told(f'allow {written}: {message["hint"]}', '')
            continue
        if ' instead of the path' in message['hint']:
            new = re.sub(r'/dev/[^ "]*', new, written)
        new = new if new.startswith((':', '"')) else f'"{new}"'
        with open('one.rb', 'w') as file:
            file.write(f'allow {new}\n')
        status, got = tool('check', 'one.rb')
        means = re.search(r'is ([cb]) (\S+) ([rwm]+)', got)
        letters = re.search(r'(?:^\S+ |[\d ])([rwm]+)$', asked) # none: all three
        group = asked.startswith(('char-', 'block-'))
        wide = means and (not group and re.search(r'[*,-]', means[2]) or letters and set(means[3]) - set(letters[1])) or \
            letters and not re.search(rf'\b{letters[1]}"$', new)
        told(f'allow {written}: did you mean {new}',
             f'that is {means and means[0]}' if wide else '' if status == 0 or 'not on this host' in got else f'refused too: {got}')


def check_beside():
    for rule in BESIDE:
        text = f'default :allow\n{rule}\n'
        for _ in range(4): # several ways around one denial: a warning each
            with open('beside.rb', 'w') as file:
                file.write(text)
            _, got = tool('check', 'beside.rb')
            add = re.search(r'hint: .*?write (deny .*?)(?:, or |$)', got, re.M)
            if not add:
                break
            text += add[1] + '\n'
        told(f'{rule}: what leads around it is denied as the hint says', '' if text.count('deny') > 1 and 'allowed by default' not in got else got)


def check_commands():
    files = {'ok.rb': 'param :gpu, 1\nallow :null\n', 'caller.rb': 'allow("c 1:3") { |ctx| ctx.uid == 1000 }\n'}
    for name, text in files.items():
        with open(name, 'w') as file:
            file.write(text)
    for words in COMMANDS:
        status, got = tool(*words)
        hint = re.search(r'^  hint: (.*)$', got, re.M)
        new = hint and (proposal(hint[1].replace('=...', '')) or (re.search(r'(?:: |for example: )((?:c|b) \S+ \S.*|/dev/\S+ \S+|--param \S+)$', hint[1]) or [None, None])[1])
        if not status or not new:
            told(' '.join(words), f'no hint that can be followed: {got}')
            continue
        new = new.strip('":')
        new = re.sub(r'^--param (\w+)', r'\1=1', new)
        old = difflib.get_close_matches(new, words, 1, 0.2)[0]
        if '=' in old and '=' not in new and old.startswith('--'):
            new = f'{old.split("=")[0]}={new}'
        if re.match(r'uid$', new):
            new = old.replace('uidd', 'uid')
        elif old.startswith('/dev/') and ' ' in old and ' ' not in new:
            new += ' ' + old.split(' ')[1]
        _, again = tool(*[new if word == old else word for word in words])
        same = re.search(r'error: (.*)', got)[1] in again or 'did you mean' in again or 'unknown' in again.split('\n')[0]
        told(f'{" ".join(words)}: {hint[1]}', again if same else '')


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        os.symlink(os.path.join(TESTS, 'errors/lib'), 'lib')
        check_corpus()
        check_one()
        check_beside()
        check_commands()
        sys.exit()
