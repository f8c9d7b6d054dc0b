/*
 * run.c - a command in a cgroup of its own, under a policy.
 *
 * The order is what makes it safe: the policy is attached to the empty cgroup
 * first, then a child is moved in, and only then does it exec (child.c). The cgroup is made
 * below our own: the limits and policies that hold for us hold for the command too,
 * and a run inside a run can allow nothing that the outer one denies.
 */
#include "cgroup/cgroup.h"
#include "cmd/child.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/unit.h"
#include "cmd/where/where.h"

static const struct option options[] = {OPTION_PARAM, OPTION_MODE, OPTION_AUDIT, OPTION_LIMIT,
                                        OPTION_UNCONFINED, OPTION_HELP, {0}};

struct guard {
	struct child child;
	struct program *program;
	const char *parent; /* our own cgroup */
	int status;
	jmp_buf no_memory;
};

static int attach(struct guard *g, const char *name)
{
	struct cmd *c = g->child.cmd;
	struct cgroup **cg = &g->child.cgroup;
	uint32_t replaced;
	if (transient_new(c->arena, &c->diags, g->parent, PROGRAM, cg) || cgroup_lock(*cg, &c->diags))
		return -1;
	int failed = cgroup_attach(c->arena, &c->diags, *cg, g->program, name, &replaced);
	cgroup_unlock(*cg);
	return failed;
}

/* Passes signals on until the child ends; its wait status. */
static int wait_child(const struct child *x)
{
	sigset_t set;
	int status = 0;
	child_signals(&set);
	while (!child_ended(x, &status)) {
		siginfo_t info;
		int sig = sigwaitinfo(&set, &info);
		if (sig > 0)
			child_pass_on(x, sig, info.si_code);
	}
	return status;
}

static int run_in_cgroup(struct guard *g, const char *name, char **argv)
{
	if (attach(g, name) || child_start(&g->child, argv) || child_go(&g->child))
		return STATUS_FAILED;
	int ended = wait_child(&g->child);
	return child_status(&g->child, ended, argv[0]);
}

/* Runs it and cleans up, whatever happens: also when memory runs out. */
static int guarded_run(struct cmd *c, struct program *program, const char *parent,
                       const char *name, char **argv)
{
	static struct guard g;
	g = (struct guard){.program = program, .parent = parent, .status = STATUS_FAILED};
	child_begin(c, &g.child);
	bool no_memory = setjmp(g.no_memory) != 0;
	if (!no_memory) {
		arena_catch(c->arena, &g.no_memory);
		g.status = run_in_cgroup(&g, name, argv);
	}
	arena_catch(c->arena, &c->no_memory);
	child_end(&g.child);
	if (no_memory)
		cmd_no_memory(c);
	return g.status;
}

/* Options, POLICY, more options, `--`, COMMAND. False: end with c->status. */
static bool parse(struct cmd *c, int argc, char **argv, const char **policy)
{
	if (options_next(c, argc, argv) != OPT_END)
		return false;
	if (optind == argc) {
		c->status = usage_error(c, NULL, "no policy and no command given");
		return false;
	}
	*policy = argv[optind++];
	if (optind < argc && options_next(c, argc, argv) != OPT_END)
		return false;
	if (optind == argc)
		c->status = usage_error(c, NULL, "no command given");
	return optind < argc;
}

static int run(struct cmd *c, int argc, char **argv)
{
	const char *path, *parent;
	struct unit u;
	struct program *program;
	if (!parse(c, argc, argv, &path))
		return c->status;
	int status = unit_load(c, &c->settings, path, &(struct load){.depth = LOAD_IMAGE, .kernel = true, .policy_only = true}, &u);
	if (status)
		return status;
	if (unit_program(c, &u, 0, &program))
		return STATUS_FAILED;
	warn_of_names(c, &u);
	parent = own_cgroup(c);
	if (parent) {
		transient_sweep(parent, PROGRAM);
		status = guarded_run(c, program, parent, u.policy->name, argv + optind);
	} else {
		status = STATUS_FAILED;
	}
	program_close(program);
	return status;
}

const struct verb verb_run = {
	.name = "run",
	.synopsis = "[--param K=V]... [--mode MODE] [--audit WHAT] POLICY [--] COMMAND ARG...",
	.summary = "Run a command in a transient cgroup under a policy",
	.help = "The cgroup is made below that of the caller, whose policies and limits hold as\n"
		"well. The policy is attached before the command starts. Signals are passed on to\n"
		"it, and its exit status is returned (128 + the signal's number when one killed\n"
		"it, 126 when it cannot be executed, 127 when it is not found). The cgroup is\n"
		"removed at the end, and what the command left running in it is killed. With\n"
		"--audit, audit --all or audit on that cgroup shows the records while it runs.\n\n",
	.shorts = "+:h",
	.longs = options,
	.main = run,
	.usage = "POLICY [--] COMMAND ARG...",
	.example = "echo 'allow :null' | " PROGRAM " run - -- sh -c 'cat /dev/zero || echo no'",
};
