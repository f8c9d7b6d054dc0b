#!/usr/bin/python3
"""callers.py - policies at random that ask who is asking, by every engine.

callers.py SEED COUNT REQUESTS: makes COUNT policies from SEED on, over every fact about the caller,
questions, devices and parameters, puts REQUESTS requests to each by `rucy-devguard test --json`, and
fails when mruby, the diagram, the simulator and the kernel do not agree. Processes that cannot be are
not made: they are skipped by the kernel alone, and counted. The last line counts; `by the kernel`: how
often each fact was one that a process of the kernel's had. A policy that fails is printed.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

# What may be said of a policy made at random: it is the policy's own fault.
EXPECTED = ("has more than", "asks more than", "may leave 64 bits", "for nil")

FILES = ["/usr/bin/qemu-system-x86_64", "/usr/bin/kvm", "/opt/a/tool", "/usr/sbin/tpm2"]
GROUPS = [0, 5, 44, 105, 65534, 4294967294]
CAPS = ["chown", "mknod", "sys_rawio", "sys_admin", "checkpoint_restore"]
CGROUPS = ["/", "/system.slice", "/system.slice/x.service", "/machine.slice/a/b/c"]
COMMS = ["qemu", "sh", "qemu-system-x86", "x"]
IDS = [0, 1, 5, 44, 1000, 1001, 65534, 4294967294]
NUMBERS = {
    "uid": IDS, "gid": IDS, "euid": IDS, "egid": IDS, "fsuid": IDS, "ppid": [20001, 20002, 20500, 31000],
    "pid": [1, 2, 400], "tid": [1, 2, 400], "cgroup_id": [1, 77], "uptime": [0, 60, 1 << 30],
}
# A process cannot choose these, so that the kernel is asked about most others.
RARE = ("pid", "tid", "cgroup_id", "uptime")
# Of these the kernel tells nothing before Linux 6.1.
LATE = ("comm", "pid", "tid") if tuple(int(x) for x in os.uname().release.split("-")[0].split(".")[:2]) < (6, 1) else ()
FLAGS = ["host_user_ns", "host_pid_ns", "kernel_thread"]


class Maker:
    """One policy, and which facts it reads."""

    def __init__(self, rng):
        self.rng = rng
        self.reads = set()
        self.param = rng.random() < 0.3
        self.facts = [f for f in NUMBERS if f not in RARE] + ["login_uid", "session", "comm", "exe", "parent_exe", "group", "cap", "under"]
        self.facts += FLAGS * 2 + ["exe", "group", "cap", "under"]
        if rng.random() < 0.15:
            self.facts += RARE
        self.facts = [f for f in self.facts if f not in LATE]
        self.facts = rng.sample(self.facts, rng.randrange(1, 7))

    def number(self, fact):
        r = self.rng
        self.reads.add(fact)
        c = r.choice(NUMBERS[fact])
        x = f"c.{fact}"
        return r.choice([f"{x} == {c}", f"{x} != {c}", f"{x} < {c + 1}", f"{x} >= {c}", f"{x} % 4 == 1", f"{x}.zero?",
                         f"{x}.between?({c // 2}, {c})", f"{r.sample(NUMBERS[fact], 2)}.include?({x})", f"{x} == c.minor",
                         f"{x} + c.major > {c}", f"{x} == PARAM" if self.param else f"{x} > {c}"])

    def or_none(self, fact):
        r = self.rng
        self.reads.add(fact)
        x, c = f"c.{fact}", r.choice([0, 5, 1000, 4294967294])
        return r.choice([f"{x}.nil?", f"{x} == {c}", f"{x} != nil", f"({x} && {x} >= {c})", f"[nil, {c}].include?({x})", f"({x} || 7) < {c}",
                         f"{x} >= {c}"])  # which raises without one

    def file(self, fact):
        r = self.rng
        self.reads.add(fact)
        x, p = f"c.{fact}", r.choice(FILES)
        return r.choice([f'{x} == "{p}"', f'{x} != "{p}"', f"{json.dumps(r.sample(FILES, 2))}.include?({x})",
                         f'case {x} when "{p}" then c.read? else c.minor == 2 end'])

    def atom(self):
        r = self.rng
        fact = r.choice(self.facts)
        if fact in NUMBERS:
            return self.number(fact)
        if fact in ("login_uid", "session"):
            return self.or_none(fact)
        if fact in ("exe", "parent_exe"):
            return self.file(fact)
        self.reads.add(fact)
        if fact == "group":
            return r.choice([f"c.in_group?({r.choice(GROUPS)})", f"{r.sample(GROUPS, 3)}.any? {{ |g| c.in_group?(g) }}"])
        if fact == "cap":
            return f"c.capable?(:{r.choice(CAPS)})"
        if fact == "under":
            return f'c.under?("{r.choice(CGROUPS)}")'
        if fact == "comm":
            return r.choice([f'c.comm == "{r.choice(COMMS)}"', f'c.comm.start_with?("{r.choice(COMMS)[:2]}")'])
        return f"c.{fact}?"

    def truth(self, depth):
        r = self.rng
        if depth <= 0 or r.random() < 0.3:
            return self.atom() if r.random() < 0.85 else r.choice(["c.read?", "!c.write?", "c.minor % 2 == 1", "c.major == 2", "c.char?"])
        a, b = self.truth(depth - 1), self.truth(depth - 1)
        return r.choice([f"({a} && {b})", f"({a} || {b})", f"!({a})", f"(({a}) == ({b}))", f"({a} ? {b} : {self.truth(depth - 2)})",
                         f"({a} && {b})", f"({a} || {b})"])

    def policy(self):
        r = self.rng
        out = ["PARAM = param :limit, 5, in: 0..1000"] if self.param else []
        out.append(f"default :{r.choice(['allow', 'deny'])}")
        out.append(r.choice(["", "", "", "audit :denied", "audit :all"]))
        for _ in range(r.randrange(1, 6)):
            device = r.choice(["", "", f'("{r.choice("cba")} {r.choice(["*", "1", "2-3"])}:{r.choice(["*", "0-7", "5"])}{r.choice(["", " r", " rw"])}")'])
            out.append(f"{r.choice(['allow', 'allow', 'deny'])}{device} {{ |c| {self.truth(3)} }}")
        return "\n".join(line for line in out if line) + "\n"

    def caller(self):
        """What the policy reads of a process, mostly of one that can be."""
        r, read = self.rng, self.reads
        words = {f: r.choice(NUMBERS[f] + [r.choice(NUMBERS[f]) + 1]) for f in NUMBERS if f in read}
        for f in ("uid", "gid", "euid", "egid", "fsuid"):
            if f in words:
                words[f] = min(words[f], 4294967294)
        if "login_uid" in read:
            words["login_uid"] = r.choice(["none", "none", 0, 5, 1000])
        if "session" in read:
            words["session"] = "none" if words.get("login_uid", "none") == "none" and r.random() < 0.9 else r.choice([1, 5, 1000])
        for f in FLAGS:
            if f in read:
                words[f] = r.choice(["yes", "no"] if f != "kernel_thread" else ["no", "no", "no", "yes"])
        for f in ("exe", "parent_exe"):
            if f in read:
                words[f] = r.choice(FILES + ["-", "/usr/bin/other"])
        if words.get("kernel_thread") == "yes":  # which runs no file, in the host's namespaces
            words.update({f: v for f, v in (("exe", "-"), ("host_user_ns", "yes"), ("host_pid_ns", "yes")) if f in words})
        if "comm" in read:
            words["comm"] = r.choice(COMMS)
        if "group" in read:
            words["groups"] = ",".join(map(str, r.sample(GROUPS + [7, 8], r.randrange(5)))) or "none"
        if "cap" in read:
            foreign = words.get("host_user_ns") == "no" and r.random() < 0.9
            words["caps"] = "none" if foreign else ",".join(r.sample(CAPS + ["kill"], r.randrange(5))) or "none"
        if "under" in read:
            words["cgroup"] = r.choice(CGROUPS + ["/system.slice/y.service", "/machine.slice/a/b/c/d", "/user.slice"])
        return words


def requests(maker, count):
    r = maker.rng
    for _ in range(count):
        words = maker.caller()
        letters = r.choice(["r", "w", "rw", "r", "m", "rm", "-"])
        if "m" in letters and ("mknod" not in words.get("caps", "mknod") or words.get("host_user_ns") == "no"):
            letters = "r"  # no such request is made
        yield f"deny {r.choice('ccb')} {r.choice([1, 2, 3, 4])}:{r.choice([0, 1, 2, 5, 9])} {letters} " + " ".join(f"{k}={v}" for k, v in words.items())


def ask(program, path, cases):
    """The answers of the engines to each request, and what is wrong with them; or why there are none."""
    run = subprocess.run([program, "test", path, "--cases", cases, "--json"], capture_output=True, text=True)
    try:
        found = json.loads(run.stdout)
        policy = (found["policies"] or [{}])[0]
        said = [d["text"] for d in found["diagnostics"] if d["level"] == "error"]
    except (ValueError, KeyError) as e:
        return None, [f"status {run.returncode}: {e}: {run.stdout}{run.stderr}"]
    if found["exit"] not in (0, 2):
        return None, said
    return policy["results"], [t for t in said if "differ" in t or "disagree" in t or "failed" in t]


def main():
    seed, count, asked = (int(x) for x in sys.argv[1:4])
    program = os.environ["DEVGUARD"]
    directory = tempfile.mkdtemp(prefix="callers.")
    path, cases = os.path.join(directory, "random.rb"), os.path.join(directory, "random.cases")
    refused = wrong = total = kernel = 0
    by_fact = {}
    for i in range(seed, seed + count):
        maker = Maker(random.Random(i))
        policy = maker.policy()
        with open(path, "w") as f:
            f.write(policy)
        with open(cases, "w") as f:
            f.write("\n".join(requests(maker, asked)) + "\n")
        answers, why = ask(program, path, cases)
        if answers is None and why and all(any(x in text for x in EXPECTED) for text in why):
            refused += 1
            continue
        for x in answers or []:
            total += 1
            if x["got"]["kernel"] != "skipped":
                kernel += 1
                for word in x["request"].split()[3:]:
                    by_fact[word.split("=")[0]] = by_fact.get(word.split("=")[0], 0) + 1
        if answers is None or why:
            wrong += 1
            print(f"seed {i}:\n{policy}{chr(10).join(why[:5])}\n")
    shutil.rmtree(directory)
    print("by the kernel: " + ", ".join(f"{k} {v}" for k, v in sorted(by_fact.items()) if "=" not in k and k.isidentifier()))
    print(f"{count} policies, {refused} refused, {total} requests, {kernel} of them asked of the kernel, {wrong} wrong")
    return 1 if wrong or refused * 2 > count else 0


sys.exit(main())
