/*
 * main.c - the tool: its table of verbs, and what `help` and `--version` print.
 */
#include "cmd/cli.h"
#include "cmd/cmd.h"
#include "cmd/room/room.h"

#include <bpf/libbpf.h>

#ifndef DEVGUARD_VERSION
#error "DEVGUARD_VERSION comes from the Makefile"
#endif
#ifndef DEVGUARD_MRUBY_VERSION
#define DEVGUARD_MRUBY_VERSION "unknown"
#endif

static const struct verb *const verbs[] = {
#define VERB(name) &verb_##name,
#include "cmd/verbs.def"
};

static void print_version(struct cmd *c)
{
	(void)c;
	printf("%s %s (mruby %s, libbpf %s)\n", PROGRAM, DEVGUARD_VERSION, DEVGUARD_MRUBY_VERSION,
	       libbpf_version_string() + (libbpf_version_string()[0] == 'v'));
}

static const struct cli tool = {
	.name = PROGRAM,
	.summary = "device policies written in Ruby, decided by the kernel.",
	.verbs = verbs,
	.nverbs = sizeof verbs / sizeof *verbs,
	.words = "POLICY is a Ruby policy (.rb), a compiled one (.o), or - for stdin.\n"
		 "SOURCE is a policy; or what the kernel has, whoever wrote it: prog:ID,\n"
		 "cgroup:CGROUP (what is attached there), effective:CGROUP (with all above it);\n"
		 "or a list of another tool, with a file behind its word: oci: docker: inspect:\n"
		 "compose: quadlet: cdi: systemd: lxc: proxmox: libvirt: slurm: v1:\n"
		 "CGROUP is a directory, /web as audit prints it, a unit (web.service), a\n"
		 "container's name or the beginning of its id, or a PID.\n"
		 "REQUEST is 'c 1:3 rw' (type, major:minor, any of r w m), or '/dev/null rw',\n"
		 "followed by what is known of the caller: 'c 1:3 rw uid=1000 comm=qemu'.\n\n"
		 "Exit status: 0 ok or allow; 1 failed; 2 deny, a test failed, or what is compared\n"
		 "differs; 3 the policy is refused; 4 what audit or stats read was detached;\n"
		 "64 the command line is wrong.\n",
	.example = "echo 'allow :null' | " PROGRAM " eval - 'c 1:3 rw'",
	.helped = "eval",
	.print_version = print_version,
	.judge = work_judge,
};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
