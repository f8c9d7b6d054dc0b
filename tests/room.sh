#!/bin/bash
# room.sh - the locked room as a user meets it: what a child may do while it works, how a
# policy is stopped, policies of several files, and what the cache remembers of the host.
. "$(dirname "$0")/lib.sh"

D=$TESTS/room.d

# ---- a child at work ------------------------------------------------------------------------------

printf 'allow :null\n\ni = 0; i += 1 while i >= 0\n' >"$T/endless.rb"
"$DEVGUARD" check --limit time=60s,cpu=60s "$T/endless.rb" >"$T/out" 2>&1 & tool=$!
for ((i = 0; i < 200; i++)); do
	child=
	for p in $(pgrep -P $tool); do
		[ "$(awk '/^State/ { print $2 }' "/proc/$p/status" 2>/dev/null)" != R ] || child=$p
	done
	[ -z "$child" ] || [ "$(awk '/^Seccomp:/ { print $2 }' "/proc/$child/status" 2>/dev/null)" != 2 ] || break
	sleep 0.05
done
field() { awk -v f="$1:" '$1 == f { print $2 }' "/proc/$child/status" 2>/dev/null; }
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "$2, expected $3"; fi; }
is "a child at work: seccomp" "$(field Seccomp)" 2
is "a child at work: no new privileges" "$(field NoNewPrivs)" 1
for set in CapInh CapPrm CapEff CapAmb; do is "a child at work: $set" "$(field $set)" 0000000000000000; done
if [ "$(id -u)" = 0 ] && [ "$(awk '{ print $3 }' /proc/self/uid_map)" = 4294967295 ]; then
	is "a child at work: bounding set" "$(field CapBnd)" 0000000000000000
	is "a child at work: uid" "$(field Uid)" 65534
	is "a child at work: gid" "$(field Gid)" 65534
	is "a child at work: descriptors" "$(ls -l "/proc/$child/fd" | awk 'NR > 1 { sub(/:.*/, "", $NF); print $NF }' | sort | uniq -c | xargs)" "3 pipe"
	is "a child at work: no environment" "$(tr -d '\0' <"/proc/$child/environ" | wc -c)" 0
fi
kill -9 $tool; wait $tool 2>/dev/null
for ((i = 0; i < 100; i++)); do kill -0 "$child" 2>/dev/null || break; sleep 0.05; done
if kill -0 "$child" 2>/dev/null; then fail "a child ends with its parent"; kill -9 "$child"; else pass "a child ends with its parent"; fi

# ---- how a policy is stopped ------------------------------------------------------------------------

expect "time: stage, file and line" 3 "endless.rb:3: error: stopped after" "$DEVGUARD" check --limit time=0.4s "$T/endless.rb"
expect "time: and no talk of loops" 3 "hint: make less of it, or give it more: --limit" "$DEVGUARD" check --limit time=0.4s "$T/endless.rb"
printf 'allow :null\ns = "x"\nloop { s += s }\n' >"$T/memory.rb"
expect "memory: stage, file and line" 3 "memory.rb:3: error: stopped at 64 MiB of memory while running the file" \
	"$DEVGUARD" check --limit memory=64m "$T/memory.rb"
expect "the limits as JSON" 3 '"text": "stopped at 64 MiB of memory while running the file"' \
	"$DEVGUARD" check --json --limit memory=64m "$T/memory.rb"
{ echo 'x = ['; seq -f '[%g],' 100000; echo ']'; } >"$T/parsed.rb" # 600 KiB: mruby's parser takes minutes
check "time while parsing: file and line" sh -c '"$1" check --limit time=0.5s "$2" 2>&1 | grep -E "parsed.rb:[0-9]+: error: stopped after .* while parsing the file"' - \
	"$DEVGUARD" "$T/parsed.rb"
printf 'allow :null\n20_000.times { allow "/dev/" + "pts/../" * 500 + "null" }\n' >"$T/names.rb"
expect "too many questions: file and line" 3 "names.rb:2: error: the policy is refused: it asks the host about too many names, while running" \
	"$DEVGUARD" check --limit time=60s "$T/names.rb"
for word in time=3q memory=2 memory=1k time=0 cpu= disk=3 '' time=1s,,cpu=2s; do
	expect "--limit $word" 64 "error: --limit" "$DEVGUARD" check --limit "$word" "$T/memory.rb"
done
expect "oci-hook takes no --unconfined" 64 "unknown option --unconfined" "$DEVGUARD" oci-hook --unconfined
expect "check -v says how it was locked in" 0 "compiled in a process locked in: uid" "$DEVGUARD" check -v "$ROOT/policies/deny-all.rb"

check "doctor says how policies are locked in" sh -c '"$1" doctor | grep -qE "^OK    locked room for policies: uid ([0-9]+ kept .*; |65534, )no capabilities, "' - "$DEVGUARD"

# ---- several files ------------------------------------------------------------------------------------

check "a policy of several files" "$DEVGUARD" test "$D/several.rb"
expect "rules have the line of their file" 2 "lib/gpu.rb:8 (error: ZeroDivisionError: divided by 0 at " \
	"$DEVGUARD" eval "$D/several.rb" 'b 8:5 r'
"$DEVGUARD" compile "$D/several.rb" -o "$T/several.o" 2>/dev/null
(cd "$T" && "$DEVGUARD" compile several.o -o again.o) && cmp -s "$T/several.o" "$T/again.o" &&
	pass "an object keeps the files" || fail "an object keeps the files"
expect "instructions name the file" 0 "lib/gpu.rb:8: deny do |ctx|" "$DEVGUARD" compile --emit=asm "$T/several.o"

mkdir -p "$T/p/lib" "$T/outside"
echo 'allow :zero' >"$T/outside/x.rb"; echo 'allow :zero' >"$T/p/lib/x.rb"
ln -s ../../outside/x.rb "$T/p/lib/link.rb"; ln -s ../outside "$T/p/out"; mkfifo "$T/p/lib/fifo.rb"
printf 'allow "\0"\n' >"$T/p/lib/nul.rb"; head -c 5000000 /dev/zero | tr '\0' '#' >"$T/p/lib/large.rb"
printf 'x = (\n' >"$T/p/lib/bad.rb"; printf 'allow :null\n\nraise "no"\n' >"$T/p/lib/raise.rb"
echo 'require_relative "b"; A = 1; allow :null' >"$T/p/lib/a.rb"; echo 'require_relative "a"; B = 1' >"$T/p/lib/b.rb"
says() # says STATUS TEXT CODE: a policy with that first line
{
	printf '%s\nallow "c 9:9"\n' "$3" >"$T/p/main.rb"
	expect "several files: $3" "$1" "$2" "$DEVGUARD" check "$T/p/main.rb"
}
says 0 "2 rules" 'load "lib/x.rb"'
says 0 "2 rules" 'require_relative "lib/x"; require_relative "lib/x.rb"; require_relative "./lib/../lib/x"'
says 0 "2 rules" 'require_relative "lib/a"'
says 3 "main.rb:1: error: load: lib/x.rb was loaded before" 'load "lib/x.rb"; load "lib/x.rb"'
says 3 "was loaded before" 'require_relative "lib/x"; load "lib/x.rb"'
says 3 "Ruby would run it again" 'load "lib/x.rb"; require_relative "lib/x"'
says 3 "leads out of the directory" 'load "../outside/x.rb"'
says 3 "leads out of the directory" 'load "lib/../../outside/x.rb"'
says 3 "files of its own directory only" 'load "/etc/passwd"'
says 3 "a symbolic link is on the way" 'load "lib/link.rb"'
says 3 "a symbolic link is on the way" 'load "out/x.rb"'
says 3 "no regular file" 'load "lib/fifo.rb"'
says 3 "no regular file" 'load "lib"'
says 3 "No such file" 'load "lib/none.rb"'
says 3 "No such file" 'load "lib/x"'
says 3 "NUL byte" 'load "lib/nul.rb"'
says 3 "larger than 4 MiB" 'load "lib/large.rb"'
says 3 "lib/bad.rb:2: error: syntax error" 'load "lib/bad.rb"'
says 3 "lib/raise.rb:3: error: RuntimeError: no" 'load "lib/raise.rb"'
says 3 "takes one file name" 'load'
says 3 "takes one file name" 'load 3'
says 3 "takes one file name" 'load("lib/x.rb", true)'
says 3 "this is no file name" 'load ""'
says 3 "not supported inside a rule" 'allow { |ctx| load "lib/x.rb" }'
says 3 "NoMethodError: undefined method 'require'" 'require "json"'
piped() { printf '%s\n' "$1" | "$DEVGUARD" check -; }
expect "several files: stdin has no directory" 3 "has no directory" piped 'load "lib/x.rb"'
expect "no file can be told apart by its path" 3 '"/etc/shadow" is not below /dev' piped 'allow "/etc/shadow"'
expect "nor one that is not there" 3 '"/etc/no-such-file" is not below /dev' piped 'allow "/etc/no-such-file"'
expect "nor through /dev" 3 'leads out of /dev' piped 'allow "/dev/../etc/shadow"'

# ---- of a hook, all of it is root's, and the cache asks again ---------------------------------------------

reason=$(need_kernel)
if [ -n "$reason" ]; then
	skip "loaded files of a hook" "$reason"
else
	Q=$(mktemp -d /root/dgtest.XXXXXX); trap 'rm -rf "$Q"; cleanup' EXIT
	mkdir "$Q/lib"; echo 'load "lib/x.rb"' >"$Q/main.rb"; echo 'allow "c 1:3 rw"' >"$Q/lib/x.rb"; chmod -R go-w "$Q"
	CGN=$CG2/$DGTEST_PREFIX.room; mkdir "$CGN"
	sleep 600 & live=$!; echo $live >"$CGN/cgroup.procs"
	hook() { printf '{"ociVersion": "1.0.2", "id": "dgtest-room", "status": "created", "pid": %d, "bundle": "%s"}' $live "$Q" | "$DEVGUARD" oci-hook --policy "$Q/main.rb"; }
	denied() { "$DEVGUARD" status --json "$CGN" >/dev/null && sh -c "echo \$\$ >'$CGN/cgroup.procs'; exec head -c 0 $1" 2>/dev/null; }
	check "a hook's policy may load files" hook
	denied /dev/null && pass "and they decide" || fail "and they decide"
	denied /dev/zero && fail "what they do not allow is denied" || pass "what they do not allow is denied"
	echo 'allow "c 1:3 rw", "c 1:5 r"' >"$Q/lib/x.rb"
	check "the hook again, with another text in the loaded file" hook
	denied /dev/zero && pass "the cache did not keep the old one" || fail "the cache did not keep the old one"
	printf 'load "lib/x.rb"\nnever "c 1:7", label: "not full"\n' >"$Q/main.rb"
	check "a hook's policy with a claim" hook
	check "the same from the cache" hook
	echo 'allow "c 1:3 rw", "c 1:7 r"' >"$Q/lib/x.rb"
	expect "a loaded file that makes the claim false" 3 'the claim "not full" is false: c 1:7 r, /dev/full, is allowed by' hook
	denied /dev/full && fail "the guard before it stays" || pass "the guard before it stays"
	chmod g+w "$Q/lib/x.rb"
	expect "a loaded file that others can write" 3 "can be written by" hook
	rm "$Q/main.rb"
	expect "a hook's policy that is not there: failed, not refused" 1 "no such file" hook
	kill $live; wait $live 2>/dev/null; rmdir "$CGN"; rm -rf "$Q"
fi
summary
