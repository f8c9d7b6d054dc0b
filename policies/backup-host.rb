# A host's backup: one program reads the raw disks, and writes tapes. For the unit or
# slice in which the backup runs:
#
#   rucy-devguard apply backup-host.rb bacula-fd.service
#
# Other programs that run there (the scripts before and after, the mail that says it is done)
# get no disk, also as root. This keeps out mistakes, and programs that cannot start the
# backup program. It does not keep out root: somebody who breaks in as root can run the backup
# program with code of their own in it (LD_PRELOAD, ptrace).
#
# Write the path of your program in the place of bacula-fd, here and in backup-host.cases. It
# must be a program by itself: if it is a script, the kernel runs its interpreter, and allowing
# that allows every script. After an upgrade of the program, apply the policy again and restart
# the program: the new file is denied before that, the old one after it. What writes a backup
# back onto a disk needs another policy, while it does.
policy "backup-host"
default :deny

BACKUP = "/usr/sbin/bacula-fd"

deny "a *:* m", label: "no new nodes"
deny "b *:* w", label: "nobody writes to a disk"

allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
allow :tty, :ptmx, :pts, access: "rw", label: "terminals"

# The program as root installed it, run by root of the host, who still may read what has
# another owner: not by root of a container.
allow("b *:* r", label: "the backup reads disks") do |ctx|
  ctx.exe == BACKUP && ctx.capable?(:dac_read_search)
end
allow(:st, access: "rw", label: "the backup's tapes") { |ctx| ctx.exe == BACKUP }

never "b *:*", access: "wm", label: "no disk is written or made"
never("b *:*", label: "no file but the backup's reads disks") { |ctx| ctx.exe != BACKUP }
never("b *:*", label: "no container's root reads disks") { |ctx| !ctx.capable?(:dac_read_search) }
never :mem, :kmem, :port, :sg, label: "no memory, and no way around to the disks"
