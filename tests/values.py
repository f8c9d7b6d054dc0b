#!/usr/bin/python3
"""values.py - policies at random whose integers differ by path, asked by every engine.

values.py SEED COUNT REQUESTS: writes COUNT policies made from SEED on, puts REQUESTS requests
to each by `rucy-devguard test --json`, and fails when mruby, the diagram, the simulator and the
kernel do not agree, or when a policy is refused for anything but what may leave 64 bits or does
not fit. The last line counts. A policy that fails is printed.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

# What may be said of a policy made at random: it is the policy's own fault.
EXPECTED = ("may leave 64 bits", "may be negative on one request", "values at once",
            "must hit", "divided by 0", "has more than", "cases", "an index into an array")


class Maker:
    """One policy: statements over the variables made so far."""

    def __init__(self, rng, facts):
        self.rng = rng
        self.facts = facts
        self.vars = []
        self.lines = []

    def const(self):
        r = self.rng
        return str(r.choice([0, 1, 2, 3, 5, 7, 8, 15, 16, 255, 256, r.randrange(4096), r.randrange(1 << 20)]))

    def leaf(self):
        r = self.rng.random()
        if r < 0.35 and self.vars:
            return self.rng.choice(self.vars)
        if r < 0.6:
            return "ctx.minor"
        if r < 0.8:
            return "ctx.major"
        if self.facts and r < 0.9:
            return self.rng.choice(["ctx.uid", "ctx.gid", "ctx.cgroup_id", "ctx.uptime"])
        return self.const()

    def number(self, depth):
        if depth <= 0:
            return self.leaf()
        r = self.rng
        a = self.number(depth - 1 - r.randrange(2))
        b = self.number(depth - 1 - r.randrange(2))
        return r.choice([
            lambda: f"({a} + {b})",
            lambda: f"({a} - {b})",
            lambda: f"({a} * {r.choice([2, 3, -1, -5, 10])})",
            lambda: f"({a} / {r.choice([2, 3, 16, -4, 7])})",
            lambda: f"({a} % {r.choice([2, 3, 16, -4, 251])})",
            lambda: f"({a} & {b})",
            lambda: f"({a} | {b})",
            lambda: f"({a} ^ {b})",
            lambda: f"(~{a})",
            lambda: f"(-{a})",
            lambda: f"({a} >> {r.randrange(12)})",
            lambda: f"(({a} & 4095) << {r.randrange(12)})",
            lambda: f"{a}.abs" if not a[0].isdigit() else a,
            lambda: f"({self.truth(depth - 1)} ? {a} : {b})",
            lambda: f"({self.truth(depth - 1)} ? {a} : {b})",
            lambda: f"({self.truth(depth - 1)} ? {self.const()} : {self.const()})",
            lambda: f"[{a}, {b}, {self.leaf()}][{self.number(depth - 2)} % 3]",
            lambda: f"[{a}, {b}].max",
            lambda: f"({a} <=> {b})",
            lambda: f"({a} / ({b} % 5 + 1))",
            lambda: f"({a} % ({b} % 5 + 1))",
        ])()

    def truth(self, depth):
        r = self.rng
        if depth <= 0 or r.random() < 0.6:
            a, b = self.number(min(depth, 2) - 1), self.number(min(depth, 2) - 1)
            return r.choice([f"{a} == {b}", f"{a} < {b}", f"{a} > {b}", f"{a} >= {b}", f"{a} != {b}",
                             f"{a} == {self.const()}", f"{a} > {self.const()}", "ctx.char?", "ctx.read?",
                             f"[3, 5, 8].include?({a})", f"({a}) % 2 == 0"])
        a, b = self.truth(depth - 1), self.truth(depth - 1)
        return r.choice([f"({a} && {b})", f"({a} || {b})", f"!({a})"])

    def statement(self):
        r = self.rng
        x = r.choice(self.vars) if self.vars and r.random() < 0.7 else f"v{len(self.vars)}"
        old = x in self.vars
        n, c = self.number, self.truth
        kinds = [lambda: f"{x} = {c(2)} ? {n(2)} : {n(2)}",
                 lambda: f"{x} = {n(3)}",
                 lambda: f"if {c(2)} then {x} = {n(2)} else {x} = {n(1)} end",
                 lambda: f"{x} = ({c(1)} ? {n(2)} : nil) || {n(1)}",
                 lambda: f"{x} = case {n(1)} when 1, 2 then {n(1)} when 3..9 then {n(2)} else {n(1)} end",
                 lambda: f"a = [{n(1)}, {n(1)}]; a[0] = {n(1)} if {c(1)}; a[1] = a[0] if {c(1)}; {x} = a[0] - a[1]",
                 lambda: f"q, w = ({n(2)}).divmod({r.choice([3, 10, 16])}); {x} = {c(1)} ? q : w"]
        if old:
            kinds += [lambda: f"{x} += {n(1)} if {c(2)}",
                      lambda: f"{x} = {x} > {n(1)} ? {x} - {r.randrange(9)} : {x} + {r.randrange(9)}",
                      lambda: f"3.times {{ |i| {x} += i if {x} & {r.choice([1, 4, 6])} == {r.randrange(3)} }}"]
        self.lines.append(r.choice(kinds)())
        if not old:
            self.vars.append(x)

    def policy(self):
        out = []
        for _ in range(self.rng.randrange(1, 4)):
            self.vars, self.lines = [], []
            for _ in range(self.rng.randrange(1, 9)):
                self.statement()
            body = "\n  ".join(self.lines + [self.truth(3)])
            out.append(f"{self.rng.choice(['allow', 'deny'])} {{ |ctx|\n  {body}\n}}\n")
        audit = self.rng.choice(["", "", "audit :denied\n", "audit :all\n"])
        return f"default :{self.rng.choice(['allow', 'deny'])}\n{audit}" + "".join(out)


def requests(rng, count, facts):
    for _ in range(count):
        near = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 255, 256]
        major = rng.choice(near + [rng.randrange(4096), 4095])
        minor = rng.choice(near + [rng.randrange(4096), rng.randrange(1 << 20), (1 << 20) - 1])
        letters = "".join(c for c in "rwm" if rng.random() < 0.5) or "-"
        text = f"deny {rng.choice('cb')} {major}:{minor} {letters}"
        if facts:
            text += f" uid={rng.choice([0, 5, 1000, 4294967295])} gid={rng.choice([0, 5, 100])}"
            text += f" cgroup_id={rng.choice([1, 5, 12345, 1 << 40])} uptime={rng.choice([0, 5, 60, 1 << 30])}"
        yield text


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
    return policy["results"], [t for t in said if "differ" in t or "disagree" in t]


def main():
    seed, count, asked = (int(x) for x in sys.argv[1:4])
    program = os.environ["DEVGUARD"]
    directory = tempfile.mkdtemp(prefix="values.")
    path, cases = os.path.join(directory, "random.rb"), os.path.join(directory, "random.cases")
    refused = wrong = total = kernel = 0
    for i in range(seed, seed + count):
        rng = random.Random(i)
        facts = rng.random() < 0.25
        policy = Maker(rng, facts).policy()
        with open(path, "w") as f:
            f.write(policy)
        with open(cases, "w") as f:
            f.write("\n".join(requests(rng, asked, facts)) + "\n")
        answers, why = ask(program, path, cases)
        if answers is None and why and all(any(x in text for x in EXPECTED) for text in why):
            refused += 1
            continue
        total += len(answers or [])
        kernel += sum(x["got"]["kernel"] != "skipped" for x in answers or [])
        if answers is None or why:
            wrong += 1
            print(f"seed {i}:\n{policy}{chr(10).join(why[:5])}\n")
    shutil.rmtree(directory)
    print(f"{count} policies, {refused} refused, {total} requests, {kernel} of them asked of the kernel, {wrong} wrong")
    return 1 if wrong or refused * 2 > count else 0


sys.exit(main())
