/*
 * guard.c - the program of a bundle: it carries one policy, and has the verbs for it. A bundle with handlers has an
 * interpreter and the verb `watch`, others have neither (plain.c, ruby.c).
 */
#include "cmd/bundle/guard/carried.h"
#include "cmd/cli.h"
#include "cmd/cmd.h"
#include "cmd/room/judge.h"

#include <bpf/libbpf.h>

/* It takes objects and programs of the kernel, no lists. */
static void work(struct inside *in)
{
	judge_work(in, NULL);
}

static void print_version(struct cmd *c)
{
	put_text(stdout, carried()->policy);
	printf(": a policy in one file, written by %s %s (%slibbpf %s)\n", PROGRAM, DEVGUARD_VERSION, c->cli->has,
	       libbpf_version_string() + (libbpf_version_string()[0] == 'v'));
}

int guard_main(const struct verb *const *verbs, size_t nverbs, const char *has, int argc, char **argv)
{
	const char *name = argc && *argv[0] ? argv[0] : "guard";
	const char *wrong = carried_find(name);
	if (wrong) {
		put_text(stderr, name);
		fprintf(stderr, ": error: %s\n  hint: %s\n", wrong, "write it anew: " PROGRAM " bundle POLICY -o FILE");
		return STATUS_FAILED;
	}
	const struct cli guard = {
		.name = name,
		.summary = "a device policy, decided by the kernel.",
		.verbs = verbs,
		.nverbs = nverbs,
		.has = has,
		.one_policy = true,
		.words = "CGROUP is a directory, /web as audit prints it, a unit (web.service), a\n"
			 "container's name or the beginning of its id, or a PID.\n\n"
			 "Exit status: 0 ok; 1 failed; 3 the policy is refused; 64 the command line is\n"
			 "wrong.\n",
		.example = PROGRAM " apply /web",
		.helped = "apply",
		.print_version = print_version,
		.judge = work,
	};
	return cli_main(&guard, argc, argv);
}
