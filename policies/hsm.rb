# Services that sign with keys which hardware keeps: in the TPM, or in cards and tokens on
# USB. For the slice of these services:
#
#   rucy-devguard apply hsm.rb signing.slice --param tss=$(getent group tss | cut -d: -f3) --param tpmrm=253
#
# tss    the number of the group whose members may use the TPM: 59 on Fedora and RHEL, where
#        Debian and others give another one. A parameter is a number, not a name. Where
#        getent prints nothing, this host has no such group, and the command is an error.
#        The cases in hsm.cases are for 59: change the number there, too.
# tpmrm  the major number of /dev/tpmrm0, which the kernel gives (grep tpm /proc/devices); 0
#        is a host without it
#
# A member by any of its groups counts, as where the kernel asks for a file's group.
policy "hsm"
default :deny

tss = param :tss, 59
tpmrm = param :tpmrm, 0

PCSCD = "/usr/sbin/pcscd" # the only program that speaks to card readers
ABRMD = "/usr/sbin/tpm2-abrmd"

deny "a *:* m", label: "no new nodes"

allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
allow :hwrng, access: "r", label: "random numbers of the hardware"

# The TPM itself is for one user at a time: for the daemon that shares it, run by a member.
allow(:tpm, access: "rw", label: "the TPM") { |ctx| ctx.exe == ABRMD && ctx.in_group?(tss) }
# The kernel's own resource manager is for all members, in the host's user namespace.
if tpmrm > 0
  allow("c #{tpmrm}:65536 rw", label: "the TPM, shared") { |ctx| ctx.in_group?(tss) && ctx.host_user_ns? }
end

allow(:usb, access: "rw", label: "card readers") { |ctx| ctx.exe == PCSCD }

never(:tpm, label: "the TPM is the group's") { |ctx| !ctx.in_group?(tss) }
never(:usb, label: "cards are pcscd's") { |ctx| ctx.exe != PCSCD }
never "b *:*", :mem, :kmem, label: "no disks, no memory"
