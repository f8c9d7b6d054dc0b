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

# A policy, or another source: bash takes the colon behind its word for a word, too.
_rucy_devguard_sources()
{
	_rucy_devguard_policies "${1-}"
	mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W 'prog: cgroup: effective: oci: docker: inspect: compose: quadlet:
		cdi: systemd: lxc: proxmox: libvirt: slurm: v1:' -- "$cur")
	[[ ${COMPREPLY[0]} != *: ]] || compopt -o nospace
}

_rucy_devguard_behind_colon()
{
	local word=$prev
	if [[ $cur == : ]]; then cur=; else word=${COMP_WORDS[COMP_CWORD - 2]}; fi
	case $word in
	cgroup | effective) _rucy_devguard_cgroups ;;
	prog) ;;
	*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
		;;
	esac
}

_rucy_devguard()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]} words='' operand=0 i name rest verbs=help options=' '
	# a line a verb: its name and its options, = behind those that take a value
	while read -r name rest; do
		verbs="$verbs $name"
		[[ $name != "$verb" ]] || options=" $rest "
	done < <("${COMP_WORDS[0]/#\~/$HOME}" help --options 2>/dev/null)
	COMPREPLY=()

	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$verbs --version --help" -- "$cur")
		return
	fi
	case $prev in
	--on-error) words='refuse allow' ;;
	--rootless) words='refuse skip' ;;
	--engine) words='docker containerd cri-o podman' ;;
	--mode) words='enforce permissive' ;;
	--audit) words='none denied all' ;;
	--by) words='uid exe' ;;
	--emit) words='obj asm terms diagram dot orders bytecode' ;;
	--ring) words='16K 64K 256K 1M' ;;
	--limit) words='time=30s cpu=20s memory=2g time=30s,memory=2g' ;;
	--dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		compopt -o filenames
		return
		;;
	--cases | --claims | --replay | --record | --update | --config | --policy | --spec | -o | --output)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
		return
		;;
	--pid)
		mapfile -t COMPREPLY < <(cd /proc && compgen -G "$cur*" | grep -x '[0-9]*')
		return
		;;
	*) [[ $options != *" $prev= "* ]] || return ;; # anything
	esac
	if [[ $prev == '=' && ${COMP_WORDS[COMP_CWORD - 2]} == --emit ]]; then
		words='obj asm terms diagram dot orders bytecode'
	fi
	if [[ -n $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	if [[ $cur == -* ]]; then
		for name in $options; do
			[[ $name != --* ]] || words="$words ${name%=}"
		done
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ $options == *" ${COMP_WORDS[i]}= "* ]]; then ((i++)) # its value is the next word
		elif [[ ${COMP_WORDS[i]} == : ]]; then ((i++)) # of a source
		elif [[ ${COMP_WORDS[i]} != -?* ]]; then ((operand++)); fi
	done
	case $verb in
	check | compile | eval | explain | diff | test)
		if [[ $cur == : || $prev == : ]]; then
			_rucy_devguard_behind_colon
			return
		fi
		;;
	esac
	case $verb:$operand in
	help:0) mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
	import:0) mapfile -t COMPREPLY < <(compgen -W 'oci docker inspect compose quadlet cdi systemd lxc proxmox libvirt slurm v1' -- "$cur") ;;
	import:1)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
		;;
	check:*) _rucy_devguard_sources yaml ;;
	test:* | compile:0 | eval:0 | explain:0 | diff:0 | diff:1) _rucy_devguard_sources ;;
	apply:0 | watch:0 | bundle:0 | verify:0 | run:0) _rucy_devguard_policies ;;
	apply:1 | watch:1 | verify:1 | why:0 | detach:0 | status:0 | audit:0 | observe:0 | learn:0 | stats:0 | grant:0 | revoke:0 | grants:0) _rucy_devguard_cgroups ;;
	run:1) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
	run:*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
		;;
	esac
}

complete -F _rucy_devguard rucy-devguard
