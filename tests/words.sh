#!/bin/bash
# words.sh - what somebody reads who does not know the tool yet: an error says the next step, and
# that step works; audit says what it waits for; columns stand below each other.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
mkdir "$T/bin" "$T/here"
ln -s "$DEVGUARD" "$T/bin/rucy-devguard"
PATH=$T/bin:$PATH
cd "$T/here" || exit 1
echo 'default :allow' >policy.rb
printf '%s\n' 'section! "raw_tracepoint/sys_enter"' 'license! "GPL"' 'def prog(ctx)' '  printk("hello")' '  return 0' end >hello.rb
printf '%s\n' 'section! "cgroup/dev"' 'def prog(ctx)' '  return 1' end >device.rb
[ -n "$reason" ] || scratch web

# In an example the cgroup is /web; here it is this one.
follow() { bash -c "${1//\/web//$(basename "${CG-web}")}" </dev/null; }
needs_kernel() { case $1 in *" run "* | *" learn "* | *" apply "* | *" verify "* | *" detach "* | *" audit "* | *" observe "* | *" watch "* | *" trace "* | *" stats "* | *" status"* | *" list"* | *" why "* | *" grant "* | *" revoke "* | *" grants"* | *install-hook*) true ;; *) false ;; esac; }

# ---- a command line with too little in it -----------------------------------------------------

verbs=$("$DEVGUARD" help --options | cut -d' ' -f1)
# What each verb lacks: nothing is given, and then all but the last word.
too_few() # too_few VERB: command lines, a line each
{
	case $1 in
	check | compile | test | detach | stats | audit | observe | trace | learn) echo "$1" ;;
	apply | watch | verify | run | eval | diff | bundle) echo "$1"; echo "$1 policy.rb" ;;
	grant) echo "$1"; echo "$1 /web" ;;
	revoke) echo "$1" ;;
	import) echo "$1"; for format in oci inspect quadlet lxc proxmox libvirt slurm v1 systemd cdi compose docker; do echo "$1 $format"; done ;;
	esac
}
too_many() { case $1 in compile | bundle) echo "$1 a b" ;; apply | watch | diff | trace) echo "$1 a b c" ;; verify) echo "$1 a b c d" ;; detach | audit | stats) echo "$1 a b c" ;; status | grants | observe | learn) echo "$1 a b" ;; esac; }

for verb in $verbs; do
	example=$("$DEVGUARD" help "$verb" | sed -n '/^For example:$/{n;s/^  //p}')
	[[ $example == *"rucy-devguard "* ]] || { fail "help $verb has an example" "$example"; continue; }
	usage=$("$DEVGUARD" help "$verb" | head -n 1)
	[[ $usage == "usage: rucy-devguard $verb"* ]] && pass "help $verb has the usage" || fail "help $verb has the usage" "$usage"
	while IFS= read -r line; do
		[ -n "$line" ] || continue
		set -- $line
		out=$("$DEVGUARD" "$@" 2>&1 </dev/null); rc=$?
		next=$(sed -n 's/^  hint: for example: //p' <<<"$out")
		if [ $rc = 64 ] && [ "$next" = "$example" ] && grep -qE "^  hint: (usage: rucy-devguard $verb|one of: )" <<<"$out"; then
			pass "$line: the next step"
		else fail "$line: the next step" "status $rc
$out"; fi
	done < <(too_few "$verb"; too_many "$verb")
done
for line in "" "help help" "help eval apply" "help nosuch" nosuch; do
	set -- $line
	out=$("$DEVGUARD" "$@" 2>&1); rc=$?
	want=64; [ "$line" != "help help" ] || want=0
	if [ $rc = $want ] && grep -qE 'usage: rucy-devguard|rucy-devguard help' <<<"$out"; then pass "'$line' says the next step"
	else fail "'$line' says the next step" "status $rc
$out"; fi
done
expect "no verb: an example" 64 "for example: echo 'allow :null' | rucy-devguard eval - 'c 1:3 rw'" "$DEVGUARD"

# ---- every example works, in the order in which it would be tried -------------------------------

for verb in check compile bundle eval explain diff why test import devices doctor apply verify status list stats audit observe watch trace detach grant grants revoke run learn oci-hook install-hook; do
	example=$("$DEVGUARD" help "$verb" | sed -n '/^For example:$/{n;s/^  //p}')
	[ "$verb" != audit ] && [ "$verb" != observe ] && [ "$verb" != watch ] && [ "$verb" != trace ] || example=${example/--timeout 60/--timeout 0}
	[ "$verb" != watch ] || echo 'on(:deny) { |e| puts e.comm }' >>policy.rb
	if [ -n "$reason" ] && needs_kernel " $example "; then skip "the example of $verb" "$reason"; continue; fi
	out=$(follow "$example" 2>&1); rc=$?
	case $verb:$rc:$out in
	doctor:[01]:*) pass "the example of $verb" ;; # 1: this host lacks something
	*hook:1:*"only root may be able to write it"*) skip "the example of $verb" "the tool is where others can write" ;;
	audit:1:*"reports nothing"* | stats:1:*"reports nothing"*) # as it says, it is applied again
		follow "$(sed -n 's/^  hint: apply it again: //p' <<<"$out" | sed 's/POLICY/policy.rb/')" >/dev/null 2>&1
		out=$(follow "$example" 2>&1) && pass "the example of $verb, after its hint" || fail "the example of $verb, after its hint" "$out" ;;
	*:0:*) pass "the example of $verb" ;;
	*) fail "the example of $verb" "$example
status $rc
$out" ;;
	esac
	[ "$verb" != watch ] || echo 'default :allow' >policy.rb
done
for verb in $verbs; do
	case " check compile bundle eval explain diff why test import devices doctor apply verify status stats audit observe watch trace detach grant grants revoke run learn oci-hook install-hook list " in
	*" $verb "*) ;;
	*) fail "the example of $verb" "this test does not run it" ;;
	esac
done

# ---- a first hour in which everything goes wrong once: each hint is done, and the next command works --

step() # step NAME STATUS HINT COMMAND...: ends so with a hint like that; what the pattern's \1 is, in NEXT
{
	local name=$1 status=$2 pattern=$3 out got; shift 3
	out=$("$@" 2>&1 </dev/null); got=$?
	NEXT=$(sed -nE "s!^  hint: $pattern.*!\\1!p" <<<"$out" | head -n 1)
	if [ $got = "$status" ] && [ -n "$NEXT" ]; then pass "first hour: $name"
	else fail "first hour: $name" "status $got
$out"; fi
}
works() { local name=$1; shift; check "first hour: $name, as the hint says" bash -c "$*"; }
step "a policy that is not there" 1 ".*to begin one: (echo .*)" rucy-devguard check first.rb
works "a policy that is not there" "$NEXT && rucy-devguard check first.rb"
step "its name without .rb" 1 "did you mean (first.rb)\?" rucy-devguard check first
works "its name without .rb" "rucy-devguard check $NEXT"
step "a name in a request" 64 'a request has numbers, or a path: write "([^"]*)"' rucy-devguard eval first.rb null rw
works "a name in a request" "rucy-devguard eval first.rb '$NEXT'"
step "a name without letters" 64 'a request has numbers, or a path: write "([^"]*)"' rucy-devguard eval first.rb :null
works "a name without letters" "rucy-devguard eval first.rb '$NEXT'"
step "a kind in a request" 64 'a request has numbers, or a path: `(.*)` tells them' rucy-devguard eval first.rb :sd r
works "a kind in a request" "$NEXT"
step "no letters" 64 "write any .*: (c 1:3 r)" rucy-devguard eval first.rb 'c 1:3'
works "no letters" "rucy-devguard eval first.rb '$NEXT'"
step "no type" 64 'write "(c 1:3)" or "b 1:3"' rucy-devguard eval first.rb 1:3 r
works "no type" "rucy-devguard eval first.rb '$NEXT r'"
step "a device that is not there" 1 'did you mean "(/dev/null)"' rucy-devguard eval first.rb '/dev/nul r'
works "a device that is not there" "rucy-devguard eval first.rb '$NEXT r'"
step "a fact that is missing" 1 "add comm=..., for example: (.*)" bash -c 'echo "allow(:null) { |c| c.comm == \"x\" }" >comm.rb; rucy-devguard eval comm.rb "c 1:3 r"'
works "a fact that is missing" "rucy-devguard eval comm.rb '$NEXT'; test \$? = 2"
step "no cases" 1 "write cases there \(a line is: (.*)\), or" rucy-devguard test first.rb
works "no cases" "echo '$NEXT' >first.cases && rucy-devguard test first.rb"
step "a unit that is no file" 1 "of a unit by its name: (systemctl cat x.service \| .*)" rucy-devguard import systemd x.service
works "a unit that is no file" "systemctl() { printf '# /x.service\\n[Service]\\nDevicePolicy=closed\\n'; }; $NEXT"
step "a version" 64 "did you mean (--version)\?" rucy-devguard version
works "a version" "rucy-devguard $NEXT"
if [ -z "$reason" ]; then
	NAME=$DGTEST_PREFIX.first; CG=$CG2/$NAME
	step "a cgroup that is not there" 1 "to make that cgroup: (mkdir .*)" rucy-devguard apply first.rb "/$NAME"
	works "a cgroup that is not there" "$NEXT && rucy-devguard apply first.rb /$NAME"
	[ "$CG2" = /sys/fs/cgroup ] || step "where documents have it" 1 "cgroups are at .* here; to make one: mkdir -p .*, and name it (/[^ ]*)" rucy-devguard status "/sys/fs/cgroup/$NAME.no"
	step "the operands swapped" 64 "usage: rucy-devguard (apply POLICY CGROUP)" rucy-devguard apply "/$NAME" first.rb
	works "the operands swapped" "rucy-devguard apply first.rb /$NAME"
	step "nothing is reported" 1 "apply it again: (.*)" rucy-devguard audit "/$NAME"
	works "nothing is reported" "${NEXT/POLICY/first.rb} && rucy-devguard audit /$NAME --timeout 0"
	step "two policies" 1 "name one of ('first'), 'policy'" bash -c "rucy-devguard apply policy.rb /$NAME && rucy-devguard detach /$NAME"
	works "two policies" "rucy-devguard detach /$NAME $NEXT"
	step "it is permissive" 0 "to enforce it: (.*)" bash -c "rucy-devguard apply policy.rb /$NAME --mode permissive && rucy-devguard status /$NAME"
	works "it is permissive" "${NEXT/POLICY/policy.rb} && ! rucy-devguard status /$NAME 2>&1 | grep permissive"
	step "a policy of another name" 1 "did you mean '(policy)'\?" rucy-devguard detach "/$NAME" polixy
	works "a policy of another name" "rucy-devguard detach /$NAME $NEXT"
	for denied in 'r::c 1:3 w' 'w::c 1:3 r' 'rw::'; do
		rule=${denied#*::}
		echo "${rule:+allow \"$rule\"; }allow :zero" >null.rb
		step "/dev/null is denied (${denied%%:*})" 0 'allow it: (allow "c 1:3 '"${denied%%:*}"'")' rucy-devguard apply null.rb "/$NAME" --dry-run
		works "/dev/null is denied (${denied%%:*})" "echo '$NEXT' >>null.rb && ! rucy-devguard apply null.rb /$NAME --dry-run 2>&1 | grep warning"
	done
fi

# ---- exit statuses: every verb, every status that the man page has for it --------------------------

echo 'allow :nul' >typo.rb
echo 'allow("c 1:3") { |ctx| ctx.uid == 7 }' >fact.rb
printf 'default :allow\nat_exit { puts "end" }\n' >told.rb
echo 'allow c 1:3 rw' >policy.cases
echo 'deny c 1:3 rw' >wrong.cases
cp policy.cases typo.cases
printf '[Service]\nDevicePolicy=closed\n' >good.service
printf 'DeviceAllow\n' >bad.service
echo text >text
watched() # watched VERB OPTIONS...: the policy is taken off while it runs
{
	"$DEVGUARD" apply policy.rb "$CG" --audit all >/dev/null 2>&1
	timeout 20 "$DEVGUARD" "$1" "$CG" "${@:2}" >"$T/watched" 2>/dev/null & BACKGROUND+=($!)
	local i
	for ((i = 0; i < 200; i++)); do # a denial is printed, or what is counted
		inside "$CG" cat </dev/null /dev/null
		[ -s "$T/watched" ] && break
		sleep 0.05
	done
	"$DEVGUARD" detach "$CG" >/dev/null
	wait $!
}
gone() # a policy is taken off while its handlers run
{
	printf 'policy "gone"\ndefault :allow\non(:deny) { }\nevery(1) { puts "watched" }\n' >gone.rb
	timeout 20 "$DEVGUARD" watch gone.rb "$CG" >"$T/gone" 2>/dev/null & BACKGROUND+=($!)
	local i
	for ((i = 0; i < 200; i++)); do [ -s "$T/gone" ] && break; sleep 0.05; done
	"$DEVGUARD" detach "$CG" gone >/dev/null
	wait $!
}
emptied() # the cgroup that is observed is removed
{
	mkdir "$CG.emptied"
	timeout 20 "$DEVGUARD" observe "$CG.emptied" 2>"$T/emptied" & BACKGROUND+=($!)
	local i
	for ((i = 0; i < 200; i++)); do "$DEVGUARD" stats --observe "$CG.emptied" --json | grep -q '"of": "[^"]*emptied"' && break; sleep 0.05; done
	rmdir "$CG.emptied"
	wait $!
}
traced() # its cgroup is removed while it runs
{
	mkdir "$CG.traced"
	timeout 20 "$DEVGUARD" trace device.rb "$CG.traced" 2>"$T/traced" & BACKGROUND+=($!)
	local i
	for ((i = 0; i < 200; i++)); do grep -q attached "$T/traced" && break; sleep 0.05; done
	rmdir "$CG.traced"
	wait $!
}
# A program of ours whose line is not what it does: shown so by that verb.
otherwise()
{
	local got id
	$CC -O2 -o loader "$TESTS/loader.c" -lbpf && "$DEVGUARD" compile policy.rb -o other.o || return
	sed -i 's/allows everything/allows everythinG/g' other.o
	id=$(./loader "$CG" other.o) || return
	"$DEVGUARD" "$1" --verify $([ "$1" = list ] || echo "$CG"); got=$?
	bpftool cgroup detach "$CG" cgroup_device id "$id"
	return $got
}
ends_with() # ends_with VERB STATUS: a command line that ends so
{
	local d=$DEVGUARD
	case $1:$2 in
	check:0 | compile:0 | explain:0) "$d" $1 policy.rb ;;
	check:1 | compile:1 | explain:1) "$d" $1 absent.rb ;;
	check:3 | compile:3 | explain:3) "$d" $1 typo.rb ;;
	bundle:0) "$d" bundle policy.rb -o guard ;;
	bundle:1) "$d" bundle absent.rb -o guard ;;
	bundle:3) "$d" bundle typo.rb -o guard ;;
	bundle:64 | check:64 | compile:64 | explain:64 | apply:64 | verify:64 | detach:64 | eval:64 | test:64 | run:64 | learn:64 | audit:64 | observe:64 | watch:64 | stats:64 | trace:64 | import:64 | grant:64 | revoke:64) "$d" $1 ;;
	grants:64) "$d" grants a b ;;
	grant:0 | revoke:0 | grants:0) "$d" grant "$GRANTED" :null && "$d" grants "$GRANTED" && "$d" revoke "$GRANTED" ;;
	grant:1 | revoke:1 | grants:1) "$d" $1 ./absent :null; [ "$1" = grants ] && "$d" grants ./absent ;;
	status:64 | list:64 | devices:64 | doctor:64 | help:64) "$d" $1 check check ;;
	oci-hook:64 | install-hook:64) "$d" $1 policy.rb ;;
	apply:0) "$d" apply policy.rb "$CG" --audit all ;;
	apply:1) "$d" apply policy.rb ./absent ;;
	apply:3) "$d" apply typo.rb "$CG" ;;
	detach:0 | stats:0) "$d" apply policy.rb "$CG" --audit all && "$d" $1 "$CG" ;;
	audit:0) "$d" apply policy.rb "$CG" --audit all && "$d" audit "$CG" --timeout 0 ;;
	detach:1) "$d" detach "$CG"; "$d" detach "$CG" ;;
	status:0) "$d" status "$CG" ;;
	verify:0) "$d" apply policy.rb "$CG" && "$d" verify policy.rb "$CG" ;;
	verify:1) "$d" verify policy.rb ./absent ;;
	verify:2) "$d" verify policy.rb "$CG" no-such ;;
	verify:3) "$d" verify typo.rb "$CG" ;;
	status:2 | list:2) otherwise "$1" ;;
	why:0) "$d" why --self c 1:3 rw ;;
	why:1) "$d" why ./absent c 1:3 rw ;;
	why:2) echo 'policy "no"; deny "b *:*"' >no.rb; "$d" apply no.rb "$CG"; "$d" why "$CG" b 8:0 r; set -- $?; "$d" detach "$CG" no; return "$1" ;;
	why:64) "$d" why --self ;;
	list:0) "$d" list; [ $? -le 1 ] ;; # 1: programs that others attached by links cannot be told
	list:1) setpriv --reuid 65534 --regid 65534 --clear-groups "$d" list ;;
	diff:0) "$d" diff policy.rb policy.rb ;;
	diff:1) "$d" diff policy.rb absent.rb ;;
	diff:2) "$d" diff policy.rb fact.rb ;;
	diff:3) "$d" diff policy.rb typo.rb ;;
	diff:64) "$d" diff policy.rb ;;
	status:1 | audit:1 | observe:1 | stats:1) "$d" $1 ./absent ;;
	audit:4) watched audit ;;
	observe:0) "$d" observe "$CG" --timeout 0 ;;
	observe:4) emptied ;;
	trace:0) "$d" trace hello.rb --timeout 0 ;;
	trace:1) "$d" trace absent.rb ;;
	trace:3) "$d" trace typo.rb ;;
	trace:4) traced ;;
	watch:0) "$d" watch told.rb "$CG" --timeout 0 && "$d" detach "$CG" told ;;
	watch:1) "$d" watch told.rb ./absent ;;
	watch:3) "$d" watch policy.rb "$CG" ;;
	watch:4) gone ;;
	stats:4) watched stats --interval 0.1 ;;
	devices:0) "$d" devices null ;;
	devices:1) "$d" devices nulll ;;
	doctor:0) "$d" doctor; [ $? -le 1 ] ;; # by the host
	doctor:1) setpriv --reuid 65534 --regid 65534 --clear-groups "$d" doctor ;;
	eval:0) "$d" eval policy.rb 'c 1:3 rw' ;;
	eval:1) "$d" eval fact.rb 'c 1:3 rw' ;;
	eval:2) "$d" eval fact.rb 'c 1:3 rw uid=8' ;;
	eval:3) "$d" eval typo.rb 'c 1:3 rw' ;;
	test:0) "$d" test policy.rb ;;
	test:1) "$d" test policy.rb --cases absent.cases ;;
	test:2) "$d" test policy.rb --cases wrong.cases ;;
	test:3) "$d" test typo.rb ;;
	run:1) "$d" run absent.rb true ;;
	run:3) "$d" run typo.rb true ;;
	run:126) "$d" run policy.rb ./text ;;
	run:127) "$d" run policy.rb ./absent ;;
	run:128+N) "$d" run policy.rb -- sh -c 'kill -TERM $$' ;;
	learn:0) "$d" learn --for 0.1 "$CG" ;;
	learn:1) "$d" learn ./absent ;;
	learn:2) echo 'deny "c 1:5"' >no5.rb; "$d" learn --update no5.rb -- head -c 1 /dev/zero ;;
	learn:3) "$d" learn --update typo.rb -- true ;;
	learn:126) "$d" learn -- ./text ;;
	learn:127) "$d" learn -- ./absent ;;
	learn:128+N) "$d" learn -- sh -c 'kill -TERM $$' ;;
	import:0) "$d" import systemd good.service ;;
	import:1) "$d" import systemd absent.service ;;
	import:3) "$d" import systemd bad.service ;;
	oci-hook:1) "$d" oci-hook --policy-from-spec </dev/null ;;
	install-hook:0) "$d" install-hook --remove --dir "$T/no-hooks" ;;
	install-hook:1) "$d" install-hook --dir "$T/no-hooks" --config "$T/absent.yaml" ;;
	oci-hook:[03] | install-hook:3) return 250 ;; # hook.sh and install.sh have these
	help:0) "$d" help ;;
	*) return 251 ;;
	esac
}
rows=$(sed -n '/^\.SH EXIT STATUS/,/^\.SH ENV/p' "$ROOT/cmd/rucy-devguard.1" | sed 's/\\-/-/g' | sed -nE 's/^([a-z, -]+[a-z])  *(as its command; )?([0-9].*)$/\1: \3/p')
[ -n "$reason" ] || { scratch granted; GRANTED=$CG; scratch statuses; }
for verb in $verbs help; do
	row=$(grep -E "(^|[ ,])$verb(,|:)" <<<"$rows")
	[ -n "$row" ] || { fail "exit statuses of $verb" "the man page has none"; continue; }
	for status in ${row#*: }; do
		[[ " doctor:1 list:1 install-hook:1 " != *" $verb:$status "* ]] || [ "$(id -u)" = 0 ] || { skip "$verb ends with $status" "not root"; continue; }
		case $verb:$status in
		apply:0 | detach:[01] | grant:[01] | revoke:[01] | grants:[01] | status:0 | list:[01] | audit:[04] | observe:[04] | watch:[034] | trace:[04] | stats:[04] | learn:[0123]* | run:12* | apply:3)
			[ -z "$reason" ] || { skip "$verb ends with $status" "$reason"; continue; } ;;
		esac
		out=$(ends_with $verb $status 2>&1 </dev/null); got=$?
		want=$status; [ "$status" != 128+N ] || want=143
		case $got in
		250) ;;
		251) fail "$verb ends with $status" "this test has no such command line" ;;
		$want) pass "$verb ends with $status" ;;
		*) fail "$verb ends with $status" "status $got
$out" ;;
		esac
	done
done
[ -n "$reason" ] || { expect "run ends as its command" 7 "" "$DEVGUARD" run policy.rb -- sh -c 'exit 7'
	expect "learn ends as its command" 7 "" "$DEVGUARD" learn -- sh -c 'exit 7'; }

[ -z "$reason" ] || { skip "audit, stats and their columns" "$reason"; summary; exit; }

# ---- audit says what it waits for, where a person sees it ------------------------------------------

build_opener
scratch above
mkdir "$CG/below"
cat >guard.rb <<'RUBY'
policy "guard"
audit :denied
allow "c 1:3 rw"
deny "c 1:11", label: "日本語のラベル: the kernel's log is not for this service, whoever it is"
deny("c 1:5") { |ctx| ctx.write? }
allow "c 1:5"
deny "c 4001:7"
RUBY
on_terminal() { local width=$1; shift; timeout 60 python3 "$TESTS/terminal.py" "$width" "$@"; }
expect "stats: no policy anywhere" 1 "attach one: rucy-devguard apply POLICY $CG/below --audit denied" "$DEVGUARD" stats "$CG/below"
"$DEVGUARD" apply guard.rb "$CG" >/dev/null
if command -v python3 >/dev/null; then
	expect "audit waits: on a terminal it says so" 0 "waiting for what 'guard' on $CG reports; Ctrl-C ends it" on_terminal 80 "$DEVGUARD" audit "$CG" --timeout 0.2
	others=$("$DEVGUARD" list --json | jq '[.. | objects | select(.audit? and .audit != "none")] | length')
	if [ "$others" != 1 ]; then skip "audit --all waits" "other policies on this host report"
	else expect "audit --all waits" 0 "waiting for what any policy on this host reports; Ctrl-C ends it" on_terminal 80 "$DEVGUARD" audit --all --timeout 0.2; fi
	out=$(on_terminal 80 "$DEVGUARD" audit "$CG" --timeout 0)
	grep -q "0 records" <<<"$out" && ! grep -q waiting <<<"$out" && pass "nor where it does not wait" || fail "nor where it does not wait" "$out"
	out=$(on_terminal 80 bash -c '"$1" audit "$2" --timeout 0.2 2>"$3"' - "$DEVGUARD" "$CG" "$T/err")
	[ -z "$out" ] && ! grep -q waiting "$T/err" && pass "nothing of it where stderr is no terminal" ||
		fail "nothing of it where stderr is no terminal" "$out $(cat "$T/err")"
fi
for verb in audit stats; do
	out=$("$DEVGUARD" $verb "$CG/below" 2>&1); rc=$?
	next=$(sed -n "s/^  hint: 'guard' on the cgroup .* decides here too: //p" <<<"$out")
	[ "$rc:$next" = "1:rucy-devguard $verb $CG" ] && pass "$verb below a policy names its place" || fail "$verb below a policy names its place" "$rc $out"
	[ $verb != audit ] || next="$next --timeout 0"
	check "$verb: that command works" bash -c "$next"
done
expect "a name above, too" 1 "decides here too: rucy-devguard stats $CG guard" "$DEVGUARD" stats "$CG/below" guard
expect "another name" 1 "attach one: rucy-devguard apply POLICY $CG/below --audit denied" "$DEVGUARD" stats "$CG/below" other
echo 'policy "guard"; default :allow' >quiet.rb
"$DEVGUARD" apply quiet.rb "$CG" >/dev/null 2>&1
expect "above, and it reports nothing" 1 "decides here too and reports nothing; once it is applied there with --audit denied: rucy-devguard audit $CG" \
	"$DEVGUARD" audit "$CG/below"
"$DEVGUARD" apply guard.rb "$CG" >/dev/null 2>&1

# ---- columns ------------------------------------------------------------------------------------------

command -v python3 >/dev/null || { skip "columns" "no python3"; summary; exit; }
NODE="/dev/$DGTEST_PREFIX-長い名前-of-a-device"
on_exit() { rm -f "$NODE"; }
mknod -m 666 "$NODE" c 4001 7 || NODE=
mknod -m 666 kmsg c 1 11 && mknod -m 666 zero c 1 5
denials()
{
	inside "$CG/below" "$OPENER" open r kmsg
	inside "$CG/below" "$OPENER" open rw kmsg
	inside "$CG" "$OPENER" open w zero
	inside "$CG/below" "$OPENER" open rw "${NODE:-kmsg}"
	inside "$CG" "$OPENER" open r kmsg
} >/dev/null
aligned() # aligned NAME WIDTH FILE
{
	local out
	out=$(python3 "$TESTS/columns.py" "$2" <"$3" 2>&1)
	[ -z "$out" ] && pass "$1" || fail "$1" "$out
$(cat "$3")"
}
denials
for width in 300 200 160 120 100 80 60 40; do
	on_terminal $width "$DEVGUARD" stats "$CG" >"$T/shown"
	aligned "stats on $width columns" $width "$T/shown"
	on_terminal $width "$DEVGUARD" audit "$CG" --timeout 0 >/dev/null 2>&1 # widths of columns begin anew
	denials
	on_terminal $width "$DEVGUARD" audit "$CG" --timeout 0 >"$T/shown"
	aligned "audit on $width columns" $width "$T/shown"
done
grep -q 'the kernel.s log is not for this service, whoever it is' "$T/shown" && pass "a rule is never cut" || fail "a rule is never cut" "$(cat "$T/shown")"
COLUMNS=40 "$DEVGUARD" stats "$CG" >"$T/one"
COLUMNS=300 "$DEVGUARD" stats "$CG" >"$T/two"
same "stats where there is no terminal: always the same" "$T/one" "$T/two"
aligned "and aligned" 0 "$T/one"
[ -z "$NODE" ] || check "and whole" grep -q "$NODE (c 4001:7)" "$T/one"
denials
COLUMNS=40 "$DEVGUARD" audit "$CG" --timeout 0 >"$T/one" 2>/dev/null
check "audit where there is no terminal: a record is a line" [ "$(grep -c "$DGTEST_PREFIX" "$T/one")" = 5 ]
check "and ends with its rule" [ "$(grep -cE 'guard.rb:[0-9]+( 日本語.*whoever it is)?$' "$T/one")" = 5 ]
summary
