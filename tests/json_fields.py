#!/usr/bin/env python3
"""json_fields.py - what --json prints, against the table of fields in the man page (section JSON).

Prints `ok WHAT` or `not ok WHAT: why`, a line each.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOL = os.environ.get('DEVGUARD', os.path.join(ROOT, 'build/rucy-devguard'))
# An array or object of an object, and the row that says what is in it.
INSIDE = {('check', 'policies'): 'policy', ('check', 'kernel'): 'kernel', ('check', 'parameters'): 'parameter',
          ('check', 'rulings'): 'ruling', ('check', 'claims'): 'claim', ('check', 'counterexample'): 'example', ('check', 'by'): 'by', **{(verb, 'names'): 'name' for verb in ('check', 'apply', 'status', 'why')},
           ('test', 'policies'): 'policy', ('test', 'results'): 'result', ('test', 'by'): 'by',
          ('test', 'coverage'): 'coverage', ('test', 'rules'): 'rule', ('test', 'missing'): 'gap',
          ('eval', 'results'): 'result', ('eval', 'by'): 'by', ('status', 'cgroups'): 'cgroup', ('status', 'programs'): 'program',
          ('devices', 'devices'): 'device', **{(verb, name): row for verb in ('grant', 'revoke', 'grants') for name, row in (('grants', 'grant'), ('node', 'made'))}, ('observe', 'container'): 'container', ('observe', 'denied_by'): 'decider', ('observe', 'grant'): 'opener', ('learn', 'requests'): 'asked', ('learn', 'programs'): 'used_by', ('learn', 'compared'): 'compared',
          ('stats', 'observers'): 'observer', ('stats', 'counts'): 'count', ('stats', 'grants'): 'count', ('stats', 'container'): 'container',
          ('learn', 'newly_allowed'): 'changes', ('learn', 'newly_denied'): 'changes',
          ('apply', 'also'): 'other', ('list', 'cgroups'): 'cgroup', ('list', 'programs'): 'program', ('why', 'programs'): 'opinion', ('why', 'node'): 'node', ('why', 'refusals'): 'refusal', ('why', 'process'): 'process',
          **{(verb, name): row for verb in ('status', 'list', 'why', 'explain') for name, row in (('host', 'host'), ('here', 'here'), ('guard', 'guard'))},
          ('status', 'grants'): 'grant', ('list', 'grants'): 'grant', ('why', 'grants'): 'grant', ('explain', 'grants'): 'grant', ('verify', 'witness'): 'witness', ('doctor', 'checks'): 'check',
          **{('diff', name): row for row, names in (('source', ['sources']), ('change', ['allowed', 'denied']), ('witness', ['witness']), ('replay', ['replay']),
                                                     ('changed', ['changes']), ('answer', ['before', 'after']), ('by', ['by'])) for name in names}}


def table():
    """{(verb or '', row): (fields that are always there, fields that may be)}"""
    text = open(os.path.join(ROOT, 'cmd/rucy-devguard.1')).read().split('.SH JSON')[1].split('.nf\n')[1].split('.fi')[0]
    lines, rows, verb = [], {}, ''
    for line in text.replace('\\-', '-').splitlines(): # a row goes on in lines that begin further to the right
        if line.startswith('     '):
            lines[-1] += ' ' + line.strip()
        else:
            lines.append(line)
    for line in lines:
        name, fields = re.match(r'^( *\S+(?: \S+)?)  +(.*)$', line).groups()
        always, _, may = fields.partition('[')
        if not name.startswith(' '):
            verb = name if name not in ('every object', 'diagnostic') else ''
        rows[(verb, name.strip() if name.startswith(' ') else '' if verb else name)] = (set(always.split()), set(may.rstrip(']').split()))
    return rows


def told(what, why):
    print(f'not ok {what}: {"; ".join(why)}' if why else f'ok {what}')


def differences(rows, verb, row, o, place):
    """What of an object is not as its row says."""
    always, may = rows.get((verb, row)) or rows.get((f'{verb} --observe', row)) or rows.get(('status', row)) or rows[('eval', row)] # host and `by` are the same everywhere
    if not row:
        always, may = always | (rows[('', 'every object')][0] if verb != 'eval -' else set()), set(may)
    why = [f'{place} lacks {name}' for name in sorted(always - set(o))] + [f'{place} has {name}' for name in sorted(set(o) - always - may)]
    for name, value in o.items():
        inside = INSIDE.get((verb.partition(' ')[0], name))
        for item in value if isinstance(value, list) else [value]:
            if name == 'diagnostics':
                why += differences(rows, '', 'diagnostic', item, f'{place}.{name}')
            elif inside and isinstance(item, dict):
                why += differences(rows, verb if verb != 'eval -' else 'eval', inside, item, f'{place}.{name}')
    return why


def run(*words, stdin=''):
    got = subprocess.run((TOOL, *words), input=stdin, capture_output=True, text=True, check=False)
    return got.returncode, got.stdout, got.stderr


def texts(diagnostics):
    return [(d['level'], d['text']) for d in diagnostics]


def check_verb(rows, name, status, words, said=None):
    """said: [(level, a part of the text)] of all diagnostics, in order."""
    got, out, err = run(*words)
    why = [] if got == status else [f'status {got}, expected {status}']
    try:
        o = json.loads(out)
        why += differences(rows, words[0], '', o, 'the object')
        why += [] if o.get('exit') == status else [f'exit is {o.get("exit")}']
        if said is not None and not (len(said) == len(o['diagnostics']) and
                                     all(a == d['level'] and b in d['text'] for (a, b), d in zip(said, o['diagnostics']))):
            why.append(f'diagnostics are {texts(o["diagnostics"])}')
        for part in ('policies',):
            if part in o and words[0] in ('check', 'test') and \
                    texts(o['diagnostics']) != [d for item in o[part] for d in texts(item['diagnostics'])]:
                why.append(f'the diagnostics of the object are not those of its {part}')
    except (ValueError, KeyError) as e:
        why.append(f'{e}: {out}')
    told(name, why + ([f'stderr: {err.strip()}'] if err else []))


def check_skips():
    """Of each engine that was not asked about a case, the reason."""
    status, out, err = run('test', '--json', 'skips.rb', '--cases', 'skips.cases')
    results = [r for item in json.loads(out)['policies'] for r in item.get('results', [])]
    why = [] if status in (0, 2) and len(results) == 2 else [f'status {status}, {len(results)} results: {err}']
    why += [f'{r["request"]}: {r["got"]}, {r.get("skipped")}' for r in results
            if {e for e, got in r['got'].items() if got == 'skipped'} != {e for e, text in r.get('skipped', {}).items() if text} or
            ('skipped' in r and not r['skipped'])]
    if not why and not os.getuid() and not os.environ.get('EXAMPLES_CLOSED'):
        reasons = [r.get('skipped', {}).get('kernel', '') for r in results[:2]]
        why += [f'reasons: {reasons}'] if 'cannot choose its session' not in reasons[0] or 'number 0:0' not in reasons[1] else []
        _, out, _ = run('test', 'skips.rb', '--cases', 'skips.cases')
        why += [f'the text is {out}' for reason in reasons if f'(1 not put to the kernel: {reason})' not in out]
    told('test: why an engine was not asked', why)


def main():
    rows = table()
    policies = {'good.rb': 'allow :null\n', 'reads.rb': 'allow(:full) { |ctx| ctx.euid == 77 && ctx.capable?(:mac_admin) }\n', 'typo.rb': 'allow :nul\n', 'warned.rb': 'deny "b *:*"\nallow "b 8:0 r"\n',
                'param.rb': 'param :n, 1, in: 0..3\nallow("c 1:3") { |c| c.minor == c.n }\n', 'empty.rb': '',
                'memory.rb': 'x = []\nx = [x] while true\n', 'raises.rb': 'default :allow\ndeny { |c| 1 / c.minor > 1 }\n',
                'good.cases': 'allow c 1:3 r\n', 'false.rb': 'allow :null\nnever "c 1:5"\nnever "c 1:3 w", label: "w"\n',
                'skips.rb': 'deny { |c| c.session == 5 }\n', 'skips.cases': 'deny c 1:9 r session=5 login_uid=3\ndeny c 0:0 r session=none login_uid=none\n',
                'org.rb': 'never "b *:*"\nalways "c 1:3"\n', 'raises.cases': 'deny c 1:0 r\nallow c 1:1 r\n', 'bad.yaml': 'version: 1\nfoo: 1\n'}
    for name, text in policies.items():
        with open(name, 'w') as file:
            file.write(text)
    null, error = [('note', ':null is c 1:3')], 'error'
    check_verb(rows, 'check: a good one', 0, ['check', '--json', 'good.rb'], null)
    check_verb(rows, 'check: a parameter', 0, ['check', '--json', 'param.rb'], [])
    check_verb(rows, 'check: refused', 3, ['check', '--json', 'typo.rb'], [(error, 'unknown device :nul')])
    check_verb(rows, 'check: a warning', 0, ['check', '--json', 'warned.rb'], [('warning', 'never decides')])
    check_verb(rows, 'check: no file', 1, ['check', '--json', 'absent.rb'], [(error, 'No such file')])
    check_verb(rows, 'check: no text', 3, ['check', '--json', 'empty.rb'], [(error, 'empty')])
    check_verb(rows, 'check: several', 3, ['check', '--json', 'good.rb', 'typo.rb', 'absent.rb', 'warned.rb'],
               null + [(error, 'unknown device'), (error, 'No such file'), ('warning', 'never decides')])
    check_verb(rows, 'check: at a limit', 3, ['check', '--json', '--limit', 'memory=64m', 'memory.rb'], [(error, 'stopped at 64 MiB')])
    check_verb(rows, 'check: a parameter that is none', 3, ['check', '--json', 'good.rb', '--param', 'x=1'],
               null + [(error, 'no such parameter')])
    check_verb(rows, 'check: a false claim', 3, ['check', '--json', 'false.rb'], [('note', ':null is'), (error, 'the claim "w" is false')])
    check_verb(rows, 'check: claims of a file', 3, ['check', '--json', '--claims', 'org.rb', 'good.rb', 'raises.rb'])
    check_verb(rows, 'check: a manifest', 3, ['check', '--json', 'bad.yaml'])
    check_verb(rows, 'check: the command line', 64, ['check', '--json'], [(error, 'no source given')])
    check_verb(rows, 'check: an option', 64, ['check', '--json', '--nosuch'], [(error, 'unknown option')])
    check_verb(rows, 'test: passed', 0, ['test', '--json', 'good.rb', 'raises.rb'], [])
    check_verb(rows, 'test: coverage', 0, ['test', '--json', '--coverage', 'good.rb', 'raises.rb'], [])
    check_verb(rows, 'test: failed', 2, ['test', '--json', 'good.rb', '--cases', 'raises.cases'], [(error, 'expected allow')])
    check_verb(rows, 'test: no cases', 1, ['test', '--json', 'warned.rb'], [(error, 'No such file')])
    check_skips()
    check_verb(rows, 'eval: allowed', 0, ['eval', '--json', 'good.rb', 'c 1:3 r'], [])
    check_verb(rows, 'eval: an exception', 2, ['eval', '--json', 'raises.rb', 'c 1:0 r', 'c 9:9 r'], [])
    check_verb(rows, 'eval: no request', 64, ['eval', '--json', 'good.rb', 'c 1:3'], [(error, 'missing access letters')])
    check_verb(rows, 'eval: refused', 3, ['eval', '--json', 'typo.rb', 'c 1:3 r'], [(error, 'unknown device')])
    _, out, _ = run('eval', '--json', 'raises.rb', '-', stdin='c 1:0 r\nc 1:3\n/dev/null r\n')
    told('eval -: a line each', [why for line in out.splitlines() for why in differences(rows, 'eval -', '', json.loads(line), 'the line')]
         + ([] if len(out.splitlines()) == 3 else [out]))
    record = '{"type":"c","major":1,"minor":3,"requested":"r","count":2}\n'
    with open('records', 'w') as file:
        file.write(record)
    check_verb(rows, 'diff: equal', 0, ['diff', '--json', 'good.rb', 'good.rb'], [])
    check_verb(rows, 'diff: different', 2, ['diff', '--json', 'good.rb', 'warned.rb'], [])
    check_verb(rows, 'diff: records', 2, ['diff', '--json', 'good.rb', 'warned.rb', '--replay', 'records'], [])
    check_verb(rows, 'diff: refused', 3, ['diff', '--json', 'good.rb', 'typo.rb'], [(error, 'unknown device')])
    check_verb(rows, 'devices', 0, ['devices', '--json'], [])
    check_verb(rows, 'devices: none', 1, ['devices', '--json', 'nulll'], [(error, 'no device has')])
    check_verb(rows, 'apply: no cgroup', 1, ['apply', '--json', 'good.rb', './absent'], [(error, 'there is no cgroup')])
    status, out, _ = run('doctor', '--json')
    told('doctor', differences(rows, 'doctor', '', json.loads(out), 'the object') + ([] if status in (0, 1) else [str(status)]))
    check_kernel(rows)


def check_watch(rows, cgroup):
    """An object a line: where it is attached, what is printed, what was counted."""
    with open('told.rb', 'w') as file:
        file.write('default :allow\non(:deny) { |e| puts e.comm }\nat_exit { puts "end" }\n')
    status, out, _ = run('watch', 'told.rb', cgroup, '--json', '--timeout', '0')
    always, may = rows[('watch', '')]
    lines, met, why = [json.loads(line) for line in out.splitlines()], set(), [] if status == 0 else [f'status {status}']
    for line in lines:
        met |= set(line)
        why += [f'a line lacks {name}' for name in sorted(always - set(line))]
    why += [f'the lines lack {name}' for name in sorted(may - met)] + [f'the lines have {name}' for name in sorted(met - always - may)]
    why += differences(rows, 'apply', '', {**lines[0]['attached'], 'schema': '', 'verb': '', 'exit': 0, 'diagnostics': []}, 'attached')
    told('watch: a line each', why)
    run('detach', cgroup, 'told')


def check_observe(rows, cgroup):
    """The lines of `observe --json`, of what a policy on the cgroup denies, and of `--unpin`; the counts."""
    _, out, _ = run('observe', '--json', cgroup, '--pin', '--timeout', '0')
    subprocess.run(['sh', '-c', 'echo $$ >"$0/cgroup.procs"; exec 2>&-; exec head -c 1 /dev/full', cgroup], stdout=subprocess.DEVNULL, check=False)
    check_verb(rows, 'stats --observe', 0, ['stats', '--json', '--observe', cgroup])
    status, out, _ = run('observe', '--json', cgroup, '--timeout', '0')
    lines = [json.loads(line) for line in out.splitlines()]
    always, may = rows[('observe', '')]
    why = [] if status == 0 and lines else [f'status {status}: {out}']
    for line in lines:
        why += differences(rows, 'observe', '', {**line, 'verb': '', 'exit': 0, 'diagnostics': []}, 'a line')
        why += [f'a line lacks {name}' for name in sorted(always | may) if name not in {'verb', 'exit', 'diagnostics', 'unpinned'} | set(line)]
    told('observe: a line each', why)
    _, out, _ = run('observe', '--json', cgroup, '--unpin')
    told('observe --unpin', differences(rows, 'observe', '', json.loads(out), 'the object') + ([] if 'unpinned' in out else [out]))


def check_audit(rows, cgroup):
    """The lines of `audit --json`, of a policy that reads the calling task and of one that does not."""
    always, may = rows[('audit', '')]
    for name, fields in (('reads.rb', always | may), ('good.rb', always)):
        run('apply', name, cgroup, '--audit', 'denied')
        subprocess.run(['sh', '-c', 'echo $$ >"$0/cgroup.procs"; exec 2>&-; exec head -c 1 /dev/full', cgroup], stdout=subprocess.DEVNULL, check=False)
        status, out, _ = run('audit', '--json', cgroup, name[:-3], '--timeout', '0')
        lines = [json.loads(line) for line in out.splitlines()]
        why = [] if status == 0 and lines else [f'status {status}: {out}']
        why += [f'the fields are {" ".join(sorted(line))}' for line in lines if set(line) != fields]
        told(f'audit: a line each, {name}', why)
        if name == 'reads.rb':
            run('detach', cgroup, 'reads')


def check_trace(rows):
    """The lines of `trace --json`: of what it prints, of its handlers, the counts at the end."""
    with open('traced.rb', 'w') as file:
        file.write('section! "raw_tracepoint/sys_enter"\nlicense! "GPL"\ndef prog(ctx)\n  printk("hello")\n  return 0\nend\nat_exit { puts "end" }\n')
    status, out, _ = run('trace', 'traced.rb', '--json', '--count', '1')
    always, may = rows[('trace', '')]
    lines, met, why = [json.loads(line) for line in out.splitlines()], set(), [] if status == 0 else [f'status {status}']
    for line in lines:
        met |= set(line)
        why += [f'a line lacks {name}' for name in sorted(always - set(line))]
    why += [f'the lines lack {name}' for name in sorted(may - met)] + [f'the lines have {name}' for name in sorted(met - always - may)]
    told('trace: a line each', why)


def check_kernel(rows):
    closed = os.environ.get('EXAMPLES_CLOSED')
    if closed or os.getuid():
        print(f'skip json: cgroups: {closed or "not root"}')
        return
    mount = subprocess.run(['findmnt', '-n', '-o', 'TARGET', '-t', 'cgroup2'], capture_output=True, text=True, check=False).stdout.split()[0]
    cgroup = tempfile.mkdtemp(prefix=os.environ.get('DGTEST_PREFIX', 'dgtest') + '.json', dir=mount)
    try:
        check_verb(rows, 'apply --dry-run', 0, ['apply', '--json', '--dry-run', 'good.rb', cgroup], [])
        check_verb(rows, 'apply', 0, ['apply', '--json', 'good.rb', cgroup, '--audit', 'denied'], [])
        check_verb(rows, 'apply, with a warning', 0, ['apply', '--json', 'warned.rb', cgroup], [('warning', '/dev/null')])
        check_verb(rows, 'verify: it differs', 2, ['verify', '--json', 'good.rb', cgroup], [])
        check_verb(rows, 'verify: equal', 0, ['verify', '--json', 'good.rb', cgroup, '--audit', 'denied'], [])
        check_verb(rows, 'verify: not there', 2, ['verify', '--json', 'good.rb', cgroup, 'no-such'], [])
        check_verb(rows, 'status', 0, ['status', '--json', cgroup])
        check_verb(rows, 'status --verify', 0, ['status', '--verify', '--json', cgroup])
        check_verb(rows, 'learn', 3, ['learn', '--json', '--', 'sh', '-c', 'head -c 1 /dev/zero >/dev/null; exit 3'], [])
        check_verb(rows, 'learn --update', 0, ['learn', '--json', '--update', 'good.rb', '--', 'sh', '-c', 'head -c 1 /dev/zero >/dev/null'], [])
        check_verb(rows, 'learn: no cgroup', 1, ['learn', '--json', './absent'], [('error', 'there is no cgroup')])
        check_verb(rows, 'list', 0, ['list', '--json'])
        check_verb(rows, 'why', 2, ['why', '--json', cgroup, 'c', '1:3', 'rw'])
        with subprocess.Popen(['sleep', '7200']) as sleeper:
            open(f'{cgroup}/cgroup.procs', 'w').write(str(sleeper.pid))
            check_verb(rows, 'why: of a process', 2, ['why', '--json', '--pid', str(sleeper.pid), '/dev/zero', 'rw'])
            check_verb(rows, 'why: no driver has it', 2, ['why', '--json', '--pid', str(sleeper.pid), 'c', '4000:1', 'rw'])
            sleeper.kill()
        check_watch(rows, cgroup)
        check_observe(rows, cgroup)
        check_audit(rows, cgroup)
        check_trace(rows)
        check_verb(rows, 'explain', 0, ['explain', '--json', f'cgroup:{cgroup}'])
        check_verb(rows, 'grant: below a guard', 1, ['grant', '--json', cgroup, ':null'], [('error', 'does not allow grants')])
        check_verb(rows, 'detach: which one', 1, ['detach', '--json', cgroup])
        check_verb(rows, 'detach', 0, ['detach', '--json', cgroup, 'good'], [])
        run('detach', cgroup)
        check_verb(rows, 'grant', 0, ['grant', '--json', cgroup, ':null', 'rw', '--for', '1h'], [])
        check_verb(rows, 'grants', 0, ['grants', '--json', cgroup], [])
        check_verb(rows, 'revoke', 0, ['revoke', '--json', cgroup, ':null'], [])
        check_verb(rows, 'revoke: none', 1, ['revoke', '--json', cgroup], [('error', 'there is no grant')])
    finally:
        os.rmdir(cgroup)


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        sys.exit(main())
