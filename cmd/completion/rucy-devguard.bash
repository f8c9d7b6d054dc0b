# bash completion for rucy-devguard

_rucy_devguard_cgroups()
{
	local mount
	mount=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo 2>/dev/null)
	[[ -n $cur || -z $mount ]] || cur=$mount/
	mapfile -t COMPREPLY < <(compgen -d -S / -- "$cur")
	compopt -o nospace
}

_rucy_devguard_policies()
{
	local f
	COMPREPLY=()
	while IFS= read -r f; do
		if [[ -d $f ]]; then
			COMPREPLY+=("$f/")
		elif [[ $f == *.rb || $f == *.o || (-n ${1-} && $f == *.$1) ]]; then
			COMPREPLY+=("$f")
		fi
	done < <(compgen -f -- "$cur")
	compopt -o filenames
}

_rucy_devguard()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verbs='check compile apply detach status eval test run audit stats import oci-hook install-hook doctor help'
	local verb=${COMP_WORDS[1]} words='' operand=0 i
	COMPREPLY=()

	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$verbs --version --help" -- "$cur")
		return
	fi
	case $prev in
	--on-error) words='refuse allow' ;;
	--mode) words='enforce permissive' ;;
	--audit) words='none denied all' ;;
	--emit) words='obj asm terms diagram dot orders bytecode' ;;
	--ring) words='16K 64K 256K 1M' ;;
	--limit) words='time=30s cpu=20s memory=2g time=30s,memory=2g' ;;
	--name | --annotation) return ;;
	--dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		compopt -o filenames
		return
		;;
	--cases | --config | --policy | -o | --output)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
		return
		;;
	--param | --count | --timeout | --fold | --interval) return ;;
	esac
	if [[ $prev == '=' && ${COMP_WORDS[COMP_CWORD - 2]} == --emit ]]; then
		words='obj asm terms diagram dot orders bytecode'
	fi
	if [[ -n $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	if [[ $cur == -* ]]; then
		case $verb in
		check) words='--verbose --json --param --limit --unconfined --help' ;;
		eval) words='--json --param --limit --unconfined --help' ;;
		compile) words='--emit --output --param --limit --unconfined --help' ;;
		apply) words='--param --mode --audit --ring --limit --unconfined --config --dry-run --json --help' ;;
		detach | status | doctor) words='--json --help' ;;
		test) words='--cases --param --limit --unconfined --json --help' ;;
		run) words='--param --mode --audit --help' ;;
		audit) words='--all --count --timeout --fold --output --json --help' ;;
		stats) words='--clear --interval --prometheus --json --help' ;;
		oci-hook) words='--policy --config --policy-from-spec --on-error --mode --audit --ring --limit --param --help' ;;
		install-hook)
			words='--print --remove --dir --name --annotation --policy --config --policy-from-spec'
			words+=' --on-error --mode --audit --ring --limit --param --help'
			;;
		import) words='--output --name --exact --service --empty-is-allow --missing --device-cgroup-rule= --help' ;;
		esac
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--name | --service | --missing | --param | --mode | --audit | --ring | --limit | --cases | --config | --emit | --count | --timeout | --fold | --interval | -o | --output) ((i++)) ;;
		-?*) ;;
		*) ((operand++)) ;;
		esac
	done
	case $verb:$operand in
	help:0) mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
	import:0) mapfile -t COMPREPLY < <(compgen -W 'oci docker inspect compose systemd lxc proxmox v1' -- "$cur") ;;
	import:1)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
		;;
	check:*) _rucy_devguard_policies yaml ;;
	test:* | compile:0 | apply:0 | eval:0 | run:0) _rucy_devguard_policies ;;
	apply:1 | detach:0 | status:0 | audit:0 | stats:0) _rucy_devguard_cgroups ;;
	run:1) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
	run:*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
		;;
	esac
}

complete -F _rucy_devguard rucy-devguard
