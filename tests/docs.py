#!/usr/bin/env python3
"""docs.py - the man page, the help texts, README and the completions say what the verbs take; man
pages and help texts fit a terminal of 80 columns.

What they take is told by the tool itself (`help --options`, made from the tables that getopt
reads). Prints `ok WHAT` or `not ok WHAT: why`, a line each.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOL = os.environ.get('DEVGUARD', os.path.join(ROOT, 'build/rucy-devguard'))
OPTION = re.compile(r'(?<![\w-])--?[a-z][a-z-]*')


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def verbs():
    """{verb: {long option: (takes a value, its letter or None)}}"""
    found = {}
    for line in run(TOOL, 'help', '--options').splitlines():
        name, *words = line.split()
        options, last = {}, None
        for word in words:
            if word.startswith('--'):
                last = word.rstrip('=')
                options[last] = (word.endswith('='), None)
            else:
                options[last] = (options[last][0], word.rstrip('='))
        found[name] = options
    return found


def told(what, missing, extra):
    why = ''
    if missing:
        why += ' lacks ' + ' '.join(sorted(missing))
    if extra:
        why += ' has ' + ' '.join(sorted(extra)) + ', which the tool does not take'
    print(f'not ok {what}:{why}' if why else f'ok {what}')


def compare(what, options, found):
    """found: words of a text; a letter stands for its option."""
    long_of = {letter: name for name, (_, letter) in options.items() if letter}
    found = {long_of.get(word, word) for word in found} - {'--help', '-h'}
    told(what, set(options) - found - {'--help'}, found - set(options))


# ---- the man page ---------------------------------------------------------------------------


def plain(text):
    text = re.sub(r'\\f[A-Z]', '', text)
    return text.replace('\\-', '-')


def man():
    text = plain(open(os.path.join(ROOT, 'cmd/rucy-devguard.1')).read())
    synopsis = text.split('.SH SYNOPSIS')[1].split('.SH ')[0]
    section = text.split('.SH VERBS')[1].split('.SH ')[0]
    return synopsis, section


def headings(section, verb, all_verbs):
    """Options that have a paragraph of their own below the verb's."""
    words, mine = set(), False
    for paragraph in section.split('.TP\n'):
        head = re.sub(r'^\.[A-Z]+ ', '', paragraph.split('\n')[0])
        name = head.split()[0].strip('"') if head.split() else ''
        if name in all_verbs:
            mine = name == verb
        elif mine and OPTION.match(head.lstrip('"')):
            words |= set(OPTION.findall(head))
    return words


def check_man(table):
    synopsis, section = man()
    for verb, options in table.items():
        lines = [line for line in synopsis.splitlines() if re.match(rf'rucy-devguard {verb}\b(?!-)', line)]
        words = {word for line in lines for word in OPTION.findall(line)} - {'-devguard'}
        words |= headings(section, verb, table)
        for other in re.findall(r'\[option of ([a-z-]+)\]', ' '.join(lines)):
            if other != verb: # all of its own
                words |= set(table[other])
        told(f'man page: {verb} is in the synopsis', [] if lines else [verb], [])
        compare(f'man page: the options of {verb}', options, words)
    told('man page: verbs', set(), set(re.findall(r'^rucy-devguard ([a-z-]+)', synopsis, re.M)) - set(table) - {'help', '--version'})


# ---- the help texts -------------------------------------------------------------------------


def check_width(what, lines):
    wide = [line for line in lines if len(line) > 80]
    print(f'not ok {what} fits in 80 columns: {wide[0]}' if wide else f'ok {what} fits in 80 columns')


def check_help(table):
    for verb, options in table.items():
        lines = run(TOOL, 'help', verb).splitlines()
        words = {word for line in lines if re.match(r'  -', line)
                 for word in OPTION.findall(re.split(r'\s{2,}(?=\S)', line.strip())[0])}
        usage = lines[:lines.index('')]
        words |= {word for line in usage for word in OPTION.findall(line)} - {'-devguard', '-hook'}
        compare(f'help {verb}', options, words)
        check_width(f'help {verb}', lines)
    check_width('help', run(TOOL, 'help').splitlines())


# ---- README, and commands in running text ------------------------------------------------------


def check_markdown(table):
    text = open(os.path.join(ROOT, 'README.md')).read()
    listed = set(re.findall(r'^    rucy-devguard ([a-z-]+)', text.split('## Commands')[1], re.M))
    told('README: verbs', set(table) - listed, listed - set(table))
    for path in sorted(glob.glob('*.md', root_dir=ROOT) + glob.glob('*/*.md', root_dir=ROOT) + glob.glob('cmd/*/*.md', root_dir=ROOT)):
        if path == 'CHANGELOG.md' or path.startswith(('build', 'shared/')): # what was
            continue
        for line in re.findall(r'`rucy-devguard ([a-z-]+[^`]*)`', open(os.path.join(ROOT, path)).read()):
            line = ' '.join(line.split())
            verb = line.split()[0]
            if verb in ('help', '--version'):
                continue
            options = table.get(verb, {})
            known = set(options) | {letter for _, letter in options.values() if letter}
            words = set(OPTION.findall(line.split(' -- ')[0])) - {'-devguard'}
            told(f'{path}: `rucy-devguard {line}`', [] if verb in table else [f'the verb {verb}'], words - known)


# ---- what man shows ------------------------------------------------------------------------------


def check_pages():
    if not shutil.which('man'):
        return
    for path in sorted(glob.glob('*/*.[1-8]', root_dir=ROOT)):
        if path.startswith('build'):
            continue
        page = subprocess.run(('man', '--warnings=w', '-l', os.path.join(ROOT, path)), capture_output=True, text=True, check=False,
                              env={**os.environ, 'MANWIDTH': '80', 'LC_ALL': 'C.UTF-8', 'MANPAGER': 'cat', 'MAN_KEEP_FORMATTING': ''})
        shown = re.sub('.\b', '', re.sub(r'\x1b\[[0-9;]*m', '', page.stdout))
        long = [line for line in shown.splitlines() if len(line) > 80]
        for what, found in ((f'{path} fits 80 columns', long), (f'{path}: groff has nothing to warn of', page.stderr.splitlines())):
            print(f'not ok {what}: {found}' if found else f'ok {what}')


# ---- bash -----------------------------------------------------------------------------------


def complete(*words):
    """What bash offers for the last word."""
    script = os.path.join(ROOT, 'cmd/completion/rucy-devguard.bash')
    line = 'compopt() { :; }; . "$0"; _rucy_devguard_cgroups() { COMPREPLY=(cgroup); }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rucy_devguard; printf "%s\\n" "${COMPREPLY[@]}"'
    return set(run('bash', '-c', line, script, TOOL, *words).split())


def check_bash(table):
    offered = complete('')
    told('bash: verbs', set(table) - offered, offered - set(table) - {'help', '--help', '--version'})
    told('bash: help VERB', set(table) - complete('help', ''), [])
    for verb, options in table.items():
        offered = complete(verb, '--')
        told(f'bash: the options of {verb}', set(options) - offered, offered - set(options))
        for name, (value, letter) in options.items(): # a value is no operand
            for word in (name, letter):
                if value and word and complete(verb, word, 'x', '') != complete(verb, ''):
                    print(f'not ok bash: {verb} {word} VALUE: the value is taken for an operand')
    for what, words, want in (('verify POLICY CGROUP', ('verify', 'x.rb', ''), 'cgroup'), ('why CGROUP', ('why', ''), 'cgroup'),
                              ('a cgroup as a source of diff', ('diff', 'x.rb', 'effective', ':', ''), 'cgroup'),
                              ('a source of diff', ('diff', ''), 'effective:'), ('--engine', ('check', '--engine', ''), 'podman'),
                              ('--rootless', ('oci-hook', '--rootless', ''), 'skip'), ('--pid', ('why', '--pid', ''), str(os.getpid())),
                              ('--claims', ('check', '--claims', os.path.join(ROOT, 'policies/cla')), os.path.join(ROOT, 'policies/claims.rb'))):
        told(f'bash: {what}', {want} - complete(*words), [])


# ---- zsh ------------------------------------------------------------------------------------


def zsh():
    """(verbs, {verb: {option: takes a value}}), as the specs of _arguments have them."""
    text = open(os.path.join(ROOT, 'cmd/completion/_rucy-devguard')).read()
    names = set(re.findall(r"'([a-z-]+):", text.split('verbs=(')[1].split('\n\t)')[0]))
    shared = dict(re.findall(r"^\t(\w+)=(\(.*?\)\n(?=\t\w|\n)|'.*?'\n)", text, re.S | re.M))
    branches = {}
    for verb, specs in re.findall(r'^\t([a-z-]+)\)\n\t\t_arguments(.*?);;', text, re.S | re.M):
        specs = re.sub(r'\$(\w+)', lambda m: shared[m.group(1)], specs)
        options = {}
        for spec in re.findall(r"""((?:'[^']*'|"[^"]*"|\{[^}]*\}|[^\s'"(){}])+)""", specs):
            spec = re.sub(r"""['"]""", '', spec)
            spec = re.sub(r'^\([^)]*\)', '', spec)
            head = re.match(r'(\*?(?:\{[^}]*\}|-[a-z-]+=?))\[[^]]*\](:?)', spec)
            if head:
                for word in OPTION.findall(head.group(1)):
                    options[word] = bool(head.group(2))
        branches[verb] = options
    return names, branches


def check_zsh(table):
    names, branches = zsh()
    told('zsh: verbs', set(table) - names, names - set(table) - {'help'})
    for verb, options in table.items():
        found = branches.get(verb, {})
        compare(f'zsh: the options of {verb}', options, set(found))
        wrong = [word for word in found if word in options and found[word] != options[word][0]]
        told(f'zsh: values of the options of {verb}', wrong, [])


# ---- the words that options and `import` take -------------------------------------------------


def one_of(*words):
    """What the tool says that a value can be."""
    run = subprocess.run((TOOL, *words), capture_output=True, text=True, check=False)
    return set(re.split(r'[ ,]+', re.search(r'one of: (.*)', run.stderr).group(1)))


def check_words():
    zsh_text = open(os.path.join(ROOT, 'cmd/completion/_rucy-devguard')).read()
    man_text = plain(open(os.path.join(ROOT, 'cmd/rucy-devguard.1')).read())
    for verb, option, label in (('compile', '--emit', 'kind'), ('apply', '--mode', 'mode'), ('apply', '--audit', 'audit'),
                                ('oci-hook', '--on-error', 'answer'), ('import', None, 'format')):
        line = (verb, option) if option else (verb,)
        what, words, offered = 'the words of ' + ' '.join(line), one_of(*line, '9999'), complete(*line, '')
        told(f'bash: {what}', words - offered, offered - words)
        offered = set(re.search(rf':{label}:\(([^)]*)\)', zsh_text).group(1).split())
        told(f'zsh: {what}', words - offered, offered - words)
        told(f'man page: {what}', {word for word in words if not re.search(rf'\b{word}\b', man_text)}, [])


def main():
    table = verbs()
    check_man(table)
    check_help(table)
    check_markdown(table)
    check_pages()
    with tempfile.TemporaryDirectory() as empty:
        os.chdir(empty)
        check_bash(table)
        check_words()
        os.chdir(ROOT)
    check_zsh(table)


if __name__ == '__main__':
    sys.exit(main())
