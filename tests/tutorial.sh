#!/bin/bash
# tutorial.sh - the lessons of policies/README.md: its policies are saved under the
# names given, each of its commands is run, and the output must be the one printed.
# What the machine decides (the size of machine code) is not compared; without the
# kernel, what asks it is passed over.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
mkdir "$T/bin" "$T/lessons" "$T/commands"
ln -s "$DEVGUARD" "$T/bin/rucy-devguard"
PATH=$T/bin:$PATH
cd "$T/lessons" || exit 1

# `NAME`: and a block is a file; each `$ ` of a console block starts a command.
awk -v to="$T/commands" '
	/^`[a-z]+\.[a-z]+`:$/ { name = substr($0, 2, length - 3); next }
	/^```./ && name == "" && $0 != "```console" { print "a block without a name, line " NR; exit 1 }
	/^```/ && !block { block = 1; console = $0 == "```console"; next }
	/^```/ { block = 0; name = ""; next }
	block && console && /^\$ / { out = sprintf("%s/%03d", to, ++n); print substr($0, 3) >out ".sh"; printf "" >out ".want"; next }
	block && console { print >out ".want"; next }
	block { print >name }
' "$ROOT/policies/README.md" >"$T/awk.out" || fail "the lessons can be read" "$(cat "$T/awk.out")"

# A line of the output that depends on the machine, without that part of it.
steady()
{
	sed -E 's/^(  kernel: accepted) \(.*/\1/' "$1" >"$2"
	[ -z "$reason" ] || sed -i '/^  kernel: /d' "$2"
}

for script in "$T"/commands/*.sh; do
	[ -e "$script" ] || { fail "the tutorial" "it has no commands"; break; }
	command=$(<"$script")
	case $reason:$command in
	:*) ;;
	*:*"devguard run "* | *:*"devguard test "*) skip "tutorial: $command" "$reason"; continue ;;
	esac
	bash "$script" >"$T/out" 2>"$T/err" </dev/null
	cat "$T/out" "$T/err" >"$T/raw"
	steady "${script%.sh}.want" "$T/want"
	steady "$T/raw" "$T/got"
	same "tutorial: $command" "$T/want" "$T/got"
done
summary
