# seeds.sh - sourced: the inputs a harness starts with, which are tests of another kind.

# seeds HARNESS: their paths, from the root of the tree; those that are large are left out
seeds()
{
	local where
	case $1 in
	policy) where='tests/ruby/*.rb tests/errors/*.rb tests/hostile/*.rb policies/*.rb tests/import/*.rb' ;;
	oci) where='tests/import/oci*.json tests/import/bad/oci*.json' ;;
	inspect) where='tests/import/inspect*.json tests/import/bad/inspect*.json' ;;
	docker) where='tests/import/*.rules' ;;
	compose) where='tests/import/compose*.yaml tests/import/bad/compose*.yaml' ;;
	quadlet) where='tests/import/*.container tests/import/bad/*.container' ;;
	cdi) where='tests/import/cdi*.json tests/import/cdi*.yaml tests/import/bad/cdi*.json tests/import/bad/cdi*.yaml' ;;
	command) where='tests/import/*.sh tests/import/bad/*.sh' ;;
	libvirt) where='tests/import/libvirt*.conf tests/import/bad/libvirt*.conf' ;;
	slurm) where='tests/import/slurm*.conf tests/import/bad/slurm*.conf' ;;
	systemd) where='tests/import/*.service tests/import/*.slice tests/import/bad/*.service' ;;
	lxc) where='tests/import/lxc*.conf tests/import/bad/lxc*.conf' ;;
	proxmox) where='tests/import/proxmox*.conf tests/import/bad/proxmox*.conf' ;;
	v1) where='tests/import/*.list tests/import/bad/*.list' ;;
	manifest) where='tests/manifest/*.yaml' ;;
	cases) where='tests/*/*.cases policies/*.cases' ;;
	*) return 0 ;;
	esac
	# below 2 KiB, and none that takes long
	find $where -maxdepth 0 -size -5 ! -path tests/ruby/arithmetic.rb ! -path tests/ruby/methods.rb ! -path tests/ruby/raises.rb
}
