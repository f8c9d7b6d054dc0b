# scenes.sh - what is run with faults in it, and what is right afterwards. Sourced.
#
# A scene is a function scene_NAME that sets
#   ARGS       the command line        INPUT     a file for stdin
#   ARTIFACT   a file it writes        BEFORE    a command that puts all back to the start
#   AFTER      a command that is told the exit status and prints what is wrong
# `judge` says what of one run is not as it should be: right with the status and the output
# that there are without a fault, or a message, exit 1 and nothing left.

W=$T/w
mkdir "$W"
cat >"$T/one.rb" <<'RUBY'
policy "one"
allow "c 1:3 rw"
never "b *:*", label: "no raw disks"
RUBY
printf 'always "c 1:3 rw"\nnever("c *:*") { |ctx| ctx.minor < ctx.major }\n' >"$T/org.rb"
cat >"$T/loud.rb" <<'RUBY'
policy "one"
audit :denied
allow "c 1:3 rw", label: "null"
allow { |ctx| ctx.char? && ctx.major == 5 && ctx.uid == 0 }
RUBY
# The same with files, groups and cgroups by name: what they are is looked up, and put into a map, before it is attached.
cat >"$T/who.rb" <<'RUBY'
policy "who"
allow "c 1:3 rw"
allow("c 1:5 r") { |ctx| ctx.exe == "/usr/bin/head" && ctx.in_group?(44) }
allow("c 1:7 r") { |ctx| ctx.under?("/none.slice") || ctx.parent_exe == "/usr/bin/none-of-that-name" }
RUBY
printf 'c 1:5 r exe=/usr/bin/head groups=44\nc 1:5 r exe=-\nc 1:7 r cgroup=/none.slice/a parent_exe=-\n' >"$T/who.requests"
printf 'c 1:3 rw\nb 8:0 r\nc 5:1 rw uid=1000\n' >"$T/requests"
cat >"$T/config.json" <<'J'
{"ociVersion": "1.0.2", "linux": {"resources": {"devices": [
  {"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rw"},
  {"allow": true, "type": "b", "major": 8, "access": "r"}]}}}
J
printf 'c 1:3 rw\nb 8:* r\n' >"$T/list"

ids() { bpftool -j cgroup list "$CG" 2>/dev/null | grep -o '"id":[0-9]*' | tr -dc '0-9\n'; }
clear_guard() # no program of ours on CG
{
	rm -f "$PINS"/*
	"$DEVGUARD" detach "$CG" >/dev/null 2>&1
}
guard_with() { clear_guard; "$DEVGUARD" apply "$1" "$CG" >"$T/guard.log" 2>&1; GUARD=$(ids); }

# What there was stays, or the new one has taken its place: never none, never two.
after_replacing() # after_replacing STATUS
{
	local now; now=$(ids)
	if [ -z "$now" ]; then echo "no program where there was one"
	elif [[ $now == *$'\n'* ]]; then echo "two programs: ${now//$'\n'/ }"
	elif [ "$1" = 0 ] && [ "$now" = "$GUARD" ]; then echo "exit 0, and the old program is still there"
	elif [ "$1" != 0 ] && [ "$now" != "$GUARD" ] && ! unconfirmed; then echo "exit $1, and the program was replaced"
	fi
	GUARD=$now
}
after_first()
{
	local now; now=$(ids)
	if [[ $now == *$'\n'* ]]; then echo "two programs: ${now//$'\n'/ }"
	elif [ "$1" = 0 ] && [ -z "$now" ]; then echo "exit 0, and nothing is attached"
	elif [ "$1" != 0 ] && [ -n "$now" ] && ! unconfirmed; then echo "exit $1, and it is attached"
	fi
}
# It says that it is attached, although not all after that went well. A signal cannot say it.
unconfirmed() { [ "$KILLED" ] || grep -qE 'could not be confirmed|is attached|was attached|replaced|what was done stays done' "$W/err"; }
KILLED=

reset_scene() { ARGS=() INPUT=/dev/null ARTIFACT='' BEFORE=: AFTER=:; }
scene_check() { ARGS=(check "$T/one.rb"); }
scene_claims() { ARGS=(check --claims "$T/org.rb" "$T/one.rb"); }
scene_compile() { ARGS=(compile "$T/one.rb" -o out.o) ARTIFACT=out.o; }
scene_listing() { ARGS=(compile "$T/loud.rb" --emit=terms -o out.terms) ARTIFACT=out.terms; }
scene_object() # check of an object
{
	"$DEVGUARD" compile "$T/loud.rb" -o "$T/loud.o" >/dev/null 2>&1
	ARGS=(check "$T/loud.o")
}
scene_eval() { ARGS=(eval "$T/loud.rb" -) INPUT=$T/requests; }
scene_json() { ARGS=(eval --json "$T/one.rb" "c 1:3 rw"); }
scene_import() { ARGS=(import oci "$T/config.json" -o out.rb) ARTIFACT=out.rb; }
scene_v1() { ARGS=(import v1 "$T/list"); }
printf 'allow c 1:3 rw\ndeny c 1:5 r\n' >"$T/one.cases"
scene_explain() { ARGS=(explain "$T/loud.rb"); }
scene_diff() { ARGS=(diff "$T/one.rb" "$T/loud.rb"); }
scene_coverage() { ARGS=(test --coverage "$T/one.rb" --cases "$T/one.cases"); }
scene_verify() { guard_with "$T/one.rb"; ARGS=(verify "$T/one.rb" "$CG"); }
scene_status() { guard_with "$T/one.rb"; ARGS=(status --verify "$CG"); }
scene_why() { guard_with "$T/one.rb"; ARGS=(why --pid "$LIVE" c 1:3 rw); }
scene_who_status() { guard_with "$T/who.rb"; ARGS=(status "$CG"); }
scene_who_verify() { guard_with "$T/who.rb"; ARGS=(verify "$T/who.rb" "$CG"); }
scene_who_why() { guard_with "$T/who.rb"; ARGS=(why --pid "$LIVE" c 1:7 r); }
scene_who_eval() { guard_with "$T/who.rb"; ARGS=(eval "cgroup:$CG" -) INPUT=$T/who.requests; }
scene_who_apply() { ARGS=(apply "$T/who.rb" "$CG") BEFORE=clear_guard AFTER=after_first; }
scene_who_replace() { guard_with "$T/who.rb"; ARGS=(apply "$T/who.rb" "$CG") AFTER=after_replacing; }
scene_effective() { guard_with "$T/one.rb"; ARGS=(explain "effective:$CG"); }
scene_apply() { ARGS=(apply "$T/one.rb" "$CG") BEFORE=clear_guard AFTER=after_first; }
scene_named() { ARGS=(apply "$T/one.rb" "$LIVE") BEFORE=clear_guard AFTER=after_first; } # by its process: all meanings are looked up
scene_replace() { guard_with "$T/loud.rb"; ARGS=(apply "$T/loud.rb" "$CG") AFTER=after_replacing; }
scene_manifest()
{
	printf 'version: 1\npolicies: [%s]\nmatch:\n  - {name: it, cgroup: "%s", policy: one}\n' "$T" "${CG#"$CG2"}" >"$T/guard.yaml"
	guard_with "$T/one.rb"
	ARGS=(apply --config "$T/guard.yaml") AFTER=after_replacing
}
after_hook() { after_first "$1"; rm -f "$PINS"/* /run/rucy-devguard/cache/*; }
scene_hook()
{
	state "$LIVE" >"$T/state"
	ARGS=(oci-hook --policy "$T/loud.rb") INPUT=$T/state BEFORE=clear_guard AFTER=after_hook
}
scene_hook_again() # with a guard there, and an object in the cache
{
	scene_hook
	BEFORE=: AFTER=after_replacing
	clear_guard
	"$DEVGUARD" "${ARGS[@]}" <"$INPUT" >"$T/guard.log" 2>&1
	GUARD=$(ids)
}
SCENES_PLAIN="check claims compile listing object eval json import v1 explain diff coverage"
SCENES_KERNEL="verify status why effective who_status who_verify who_why who_eval apply named replace who_apply who_replace manifest hook hook_again"

# Without what differs from run to run: ids, and what the kernel made of it (its own random
# constants, and what libbpf leaves out for a kernel that seems to lack it).
plain() { sed 's/not compared as instructions: tag/tag/; s/program [0-9]*/program N/g; s/accepted ([^)]*)/accepted/'; }

# Which files and cgroups the names of a policy are is told beside the rest: where it cannot be, that is the only difference.
same_output()
{
	local but='s/^ *\(which files and cgroups its names are cannot be told: .*\|\(file\|cgroup\) of line .*\)$//'
	plain <"$W/out" | cmp -s - "$T/right/out" ||
		{ grep -q 'its names are cannot be told: ' "$W/out" && diff -B <(plain <"$W/out" | sed "$but") <(sed "$but" "$T/right/out") >/dev/null; }
}

# judge STATUS: prints what is wrong, or nothing. The right output is in $T/right.
judge()
{
	local rc=$1 left
	"$AFTER" "$rc"
	if [ "$rc" = "$RIGHT" ]; then
		same_output || { echo "exit $rc with another output"; head -n 3 "$W/out"; }
		[ -z "$ARTIFACT" ] || cmp -s "$W/$ARTIFACT" "$T/right/$ARTIFACT" || echo "exit $rc with a wrong $ARTIFACT"
		left=$(cd "$W" && ls | grep -vxF -e out -e err -e "${ARTIFACT:-out}")
	else
		[ "$rc" = 1 ] || echo "exit $rc: $(head -n 1 "$W/err")"
		grep -qE 'error|not verified: |^unknown: ' "$W/err" "$W/out" || [ "$rc" != 1 ] || echo "exit 1 and no message"
		left=$(cd "$W" && ls | grep -vxF -e out -e err)
	fi
	[ -z "$left" ] || echo "left: $left"
	! grep -qE 'Sanitizer|runtime error:' "$W/err" || grep -E 'Sanitizer|runtime error:' "$W/err" | head -n 1
}

# prepare SCENE TOOL: what is right, from a run without a fault
prepare()
{
	reset_scene
	"scene_$1"
	rm -rf "$T/right" "${W:?}"/*
	"$BEFORE"
	(cd "$W" && exec timeout 60 "$2" "${ARGS[@]}") <"$INPUT" >"$W/out" 2>"$W/err"
	RIGHT=$?
	KILLED= "$AFTER" $RIGHT >"$T/after"
	cp -r "$W" "$T/right"
	plain <"$W/out" >"$T/right/out"
	[ $RIGHT = 0 ] || [ $RIGHT = 2 ] || { fail "$1 without a fault" "exit $RIGHT
$(cat "$W/err")"; return 1; }
	[ ! -s "$T/after" ] || { fail "$1 without a fault" "$(cat "$T/after")"; return 1; }
}
once() # once TOOL...: the scene's command, its status in RC
{
	rm -rf "${W:?}"/*
	"$BEFORE"
	(cd "$W" && exec timeout 60 "$@" "${ARGS[@]}") <"$INPUT" >"$W/out" 2>"$W/err"
	RC=$?
}

# What was found, by its kind: the same line is told once, with how often and the first fault.
: >"$T/found"
note() # note WHERE TEXT
{
	printf '%s\t%s\n' "$1" "${2//$'\n'/; }" >>"$T/found"
}
report() # report NAME COUNT: a fact of the scene
{
	local name=$1 n=$2
	if [ ! -s "$T/found" ]; then pass "$name: $n faults"
	else
		fail "$name: $n faults" "$(awk -F '\t' '{ if (!n[$2]++) first[$2] = $1 } END { for (t in n) print n[t] "x, first " first[t] ": " t }' "$T/found")"
	fi
	FAULTS=$((FAULTS + n))
	[ -z "${SHOW:-}" ] || { echo "$name"; sort "$T/said" | uniq -c | sort -rn; }
	: >"$T/found"; : >"$T/said"
}
FAULTS=0
: >"$T/said"
