#!/bin/bash
# services.sh - cmd/services.md and what it says: its files are written, its commands are run, by a
# systemd of its own in namespaces (services.d/), and the outputs must be the printed ones. Then
# each cell of its table, at the first and the second boot. --update writes the outputs into it.
. "$(dirname "$0")/lib.sh"

PAGE=$ROOT/cmd/services.md
mkdir "$T/steps" "$T/out"

# `PATH`: and a block is a file, also when other words stand before PATH; each `# ` of a console
# block starts a command.
awk -v to="$T/steps" '
	function step(kind) { return sprintf("%s/%03d.%s", to, n, kind) }
	/`\/[^`]*`:$/ { name = $0; sub(/`:$/, "", name); sub(/.*`/, "", name); next }
	/^```./ && !block { block = 1; console = $0 == "```console"; shown = !console && name == ""
		if (!console && !shown) { n++; print name >step("path"); printf "" >step("file") }
		next }
	/^```/ { block = 0; name = ""; next }
	block && shown { next }
	block && console && /^# / { n++; print substr($0, 3) >step("sh"); printf "" >step("want"); next }
	block { print >step(console ? "want" : "file") }
' "$PAGE"
[ "$(ls "$T"/steps/*.sh 2>/dev/null | wc -l)" -ge 20 ] && pass "services.md has commands" || fail "services.md has commands" "$(ls "$T/steps")"

# The files for systemd that containers.md shows: written before the first step.
awk -v to="$T/steps" '
	/`\/etc\/(systemd|rucy-devguard\/policies)\/[^`]*`:$/ { name = $0; sub(/`:$/, "", name); sub(/.*`/, "", name); next }
	/^```(ini|ruby)$/ && name != "" { block = sprintf("%s/000.%d", to, ++n); print name >(block ".path"); next }
	/^```/ { block = name = ""; next }
	block != "" { print >(block ".file") }
' "$ROOT/cmd/containers/containers.md"
[ "$(ls "$T"/steps/000.*.path 2>/dev/null | wc -l)" = 4 ] && pass "containers.md has files for systemd" || fail "containers.md has files for systemd" "$(ls "$T/steps")"

# Every line with the tool that a file of the page has names a policy that the page has, too.
for file in "$T"/steps/*.file; do
	while read -r _ policy rest; do
		grep -qx "$policy" "$T"/steps/*.path && pass "services.md: $policy is there" || fail "services.md: a policy of $(cat "${file%.file}.path")" "$policy $rest"
	done < <(grep -o 'rucy-devguard apply .*' "$file" | cut -d' ' -f2-)
done

# make uninstall: not while something that the pages make needs the tool.
uninstall() { make -s -C "$ROOT" --no-print-directory BUILD="$BUILD" DESTDIR="$T/root" PREFIX=/usr uninstall "$@"; }
command -v make >/dev/null || skip 'make uninstall' 'no make'
! command -v make >/dev/null || for path in etc/systemd/system/web.service.d/50-rucy-devguard.conf usr/share/lxc/config/common.conf.d/rucy-devguard.conf var/lib/lxc/web/config; do
	mkdir -p "$(dirname "$T/root/$path")"
	case $path in *lxc*) echo 'lxc.hook.start-host = /usr/bin/rucy-devguard-lxc' ;; *) echo 'ExecStartPre=+/usr/bin/rucy-devguard apply p.rb --self' ;; esac >"$T/root/$path"
	expect "make uninstall: not while $path is there" 2 "need the tool: $T/root/$path" uninstall
	expect "make uninstall FORCE=1" 0 "" uninstall FORCE=1
	check "leaves it" test -s "$T/root/$path"
	rm "$T/root/$path"
done
! command -v make >/dev/null || expect "make uninstall without any" 0 "" uninstall

SYSTEMD=$(ls /usr/lib/systemd/systemd /lib/systemd/systemd 2>/dev/null | head -n 1)
reason=$(need_kernel)
[ -n "$reason" ] || [ -n "$SYSTEMD" ] || reason="no systemd"
[ -n "$reason" ] || unshare -m -p -f -C -u -i -n --propagation private bash "$TESTS/services.d/boot" try >"$T/try" 2>&1 ||
	reason="no namespaces with an overlay: $(tail -n 1 "$T/try")"
[ -z "$reason" ] || { skip "services.md under systemd" "$reason"; summary; exit; }

build_opener
scratch host
# Everything in it ends with the namespace; then its cgroups are removed.
on_exit()
{
	local i
	echo 1 2>/dev/null >"$CG2/$DGTEST_PREFIX.host/cgroup.kill"
	[ ! -d "$CG2/$DGTEST_PREFIX.host" ] || for i in 1 2 3 4 5 6 7 8 9 10; do
		find "$CG2/$DGTEST_PREFIX.host" -depth -type d -exec rmdir {} + 2>/dev/null && break
		sleep 0.2
	done
}
unshare -m --propagation private bash "$TESTS/services.d/machine" "$T" "$CG" "$SYSTEMD" >"$T/machine.log" 2>&1
[ -z "${VERBOSE-}" ] || cat "$T"/out/log.*
on_exit
for boot in 1 2; do
	[ -e "$T/out/boot$boot" ] && pass "boot $boot ends" || fail "boot $boot ends" "$(tail -n 30 "$T/machine.log")"
done

# What another run, another systemd or another compiler may print otherwise.
steady()
{
	sed -E 's/program [0-9]+/program N/g; s/\[[0-9]+\]/[PID]/g; s/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+/DATE/g
		s/digest [0-9a-f]+/digest D/; s/tag [0-9a-f]+/tag T/; s/, compiled by rucy-devguard [0-9.]+//
		s/ *[0-9]+ instructions(, at most [0-9]+ a request)?/ INSNS/; s/ +$//; s/ +/ /g' "$1" | grep -v '^ kernel: ' >"$2"
}

for script in "$T"/steps/*.sh; do
	n=$(basename "$script" .sh)
	command=$(<"$script")
	steady "$T/steps/$n.want" "$T/want"
	steady "$T/out/$n" "$T/got" 2>/dev/null
	[ "${1-}" = --update ] || same "services.md: $command" "$T/want" "$T/got"
done
if [ "${1-}" = --update ]; then
	awk -v from="$T" '
		/`\/[^`]*`:$/ { name = 1 }
		/^```./ && !block { block = 1; console = $0 == "```console"; if (!console && name) n++; print; next }
		/^```/ { block = 0; name = 0; print; next }
		block && console && /^# / { n++; print; file = sprintf("%s/out/%03d", from, n)
			while ((getline line <file) > 0) print line; next }
		block && console { next }
		{ print }
	' "$PAGE" >"$T/page" && cat "$T/page" >"$PAGE"
fi

# What the table and the text say, a fact a line: `ok WHAT` or `not ok WHAT: why`.
cat "$T"/out/facts.* >"$T/facts" 2>/dev/null
while IFS= read -r line; do
	case $line in
	"ok "*) pass "services: ${line#ok }" ;;
	*) fail "services: ${line#not ok }" ;;
	esac
done <"$T/facts"
[ "$(grep -c . "$T/facts")" -ge 70 ] && pass "the facts are all there" || fail "the facts are all there" "$(cat "$T/facts")"
summary
