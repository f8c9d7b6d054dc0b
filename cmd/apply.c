/*
 * apply.c - compile, prove, load, and attach to a cgroup in one step.
 *
 * Everything that can fail is done before the cgroup is touched; what touches
 * it is one system call made under the cgroup's lock.
 */
#include "cmd/cmd.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>

enum { OPT_MODE = OPT_VERB, OPT_AUDIT, OPT_DRY_RUN };
enum { SLOTS = 64 }; /* programs a cgroup can hold */
static const struct option options[] = {
	{"mode", required_argument, NULL, OPT_MODE},
	{"audit", required_argument, NULL, OPT_AUDIT},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	OPTION_PARAM,
	OPTION_JSON,
	OPTION_HELP,
	{0},
};

/* A value of --mode or --audit: the first of `values` is what this version has. */
static int check_value(struct cmd *c, const char *option, const char *value,
                       const char *const *values, size_t n)
{
	if (strcmp(value, values[0]) == 0)
		return STATUS_OK;
	for (size_t i = 1; i < n; i++)
		if (strcmp(value, values[i]) == 0)
			return usage_error(c,
			                   arena_printf(c->arena, "leave it out, or use --%s %s", option,
			                                values[0]),
			                   "--%s %s is not available in this version", option, value);
	const char *near = did_you_mean(value, values, n);
	return usage_error(c, near ? arena_printf(c->arena, "did you mean %s?", near) : NULL,
	                   "--%s %s: unknown value", option, value);
}

/* False: the verb ends with c->status. */
static bool parse(struct cmd *c, int argc, char **argv, bool *dry_run)
{
	static const char *const modes[] = {"enforce", "permissive"};
	static const char *const audits[] = {"none", "denied", "all"};
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return false;
		c->status = STATUS_OK;
		if (opt == OPT_MODE)
			c->status = check_value(c, "mode", optarg, modes, 2);
		if (opt == OPT_AUDIT)
			c->status = check_value(c, "audit", optarg, audits, 3);
		if (opt == OPT_DRY_RUN)
			*dry_run = true;
		if (c->status)
			return false;
	}
	int n = argc - optind;
	if (n != 2)
		c->status = usage_error(c, "usage: " PROGRAM " apply POLICY CGROUP",
		                        n == 0   ? "no policy and no cgroup given"
		                        : n == 1 ? "no cgroup given"
		                                 : "more than a policy and a cgroup given");
	return n == 2;
}

struct attachment {
	const struct unit *unit;
	const struct cgroup *cgroup;
	uint32_t id, replaced;
	bool dry_run;
	const char *not_asked; /* why the kernel was not asked (dry run) */
};

static const char *size_text(struct cmd *c, const struct unit *u)
{
	return arena_printf(c->arena, "%zu rule%s, %zu instruction%s, at most %u a request",
	                    u->policy->nrules, PLURAL(u->policy->nrules), u->image.ninsns,
	                    PLURAL(u->image.ninsns), u->image.longest);
}

static void report(struct cmd *c, const struct attachment *at)
{
	const struct unit *u = at->unit;
	if (c->json) {
		json_t *o = json_pack("{s:o, s:o, s:b, s:I, s:I, s:i}", "policy",
		                      text_json(u->policy->name), "cgroup",
		                      text_json(at->cgroup->path), "dry_run", at->dry_run, "rules",
		                      (json_int_t)u->policy->nrules, "instructions",
		                      (json_int_t)u->image.ninsns, "longest_path",
		                      (int)u->image.longest);
		json_object_set_new(o, "program", at->id ? json_integer(at->id) : json_null());
		json_object_set_new(o, "replaced",
		                    at->replaced ? json_integer(at->replaced) : json_null());
		json_object_update(c->out, o);
		json_decref(o);
		return;
	}
	put_text(stdout, u->policy->name);
	if (at->replaced)
		printf(": %s program %u on ", at->dry_run ? "would replace" : "replaced",
		       at->replaced);
	else
		printf(": %s to ", at->dry_run ? "would be attached" : "attached");
	put_text(stdout, at->cgroup->path);
	printf(" (%s", size_text(c, u));
	if (at->not_asked)
		printf("; the kernel and what is attached there were not asked: %s", at->not_asked);
	else if (at->dry_run)
		printf("; accepted by the kernel");
	else
		printf(", program %u", at->id);
	puts(")");
}

/* Does a program attached without flags keep others out of a cgroup, or of all
 * below it? */
static int admits(struct cmd *c, const struct cgroup *cg, const struct attached *list, size_t n,
                  bool above)
{
	uint32_t admitting = BPF_F_ALLOW_MULTI | (above ? BPF_F_ALLOW_OVERRIDE : 0);
	if (!n || list[0].attach_flags & admitting)
		return 0;
	return diag_fail(&c->diags, "have its owner attach it with BPF_F_ALLOW_MULTI",
	                 "program %u on %s admits no other%s", list[0].id, cg->path,
	                 above ? " below it" : "");
}

static int ancestors_admit(struct cmd *c, const struct cgroup *cg)
{
	struct attached *list;
	size_t n;
	struct cgroup *up = cgroup_parent(c->arena, &c->diags, cg);
	int failed = 0;
	while (up && !failed) {
		failed = cgroup_query(c->arena, &c->diags, up, &list, &n) ||
		         admits(c, up, list, n, true);
		struct cgroup *next = failed ? NULL : cgroup_parent(c->arena, &c->diags, up);
		cgroup_close(up);
		up = next;
	}
	return failed || c->diags.errors;
}

/* What attaching would do, without doing it. */
static int rehearse(struct cmd *c, struct attachment *at)
{
	struct attached *list;
	size_t n;
	if (at->not_asked)
		return STATUS_OK;
	if (cgroup_query(c->arena, &c->diags, at->cgroup, &list, &n))
		return STATUS_FAILED;
	for (size_t i = 0; i < n; i++)
		if (list[i].ours && strcmp(list[i].name, at->unit->policy->name) == 0)
			at->replaced = list[i].id;
	if (n >= SLOTS && diag_fail(&c->diags, "detach one: " PROGRAM " status shows them",
	                            "%s has %zu programs already, as many as it can hold",
	                            at->cgroup->path, n))
		return STATUS_FAILED;
	if (admits(c, at->cgroup, list, n, false) || ancestors_admit(c, at->cgroup))
		return STATUS_FAILED;
	return STATUS_OK;
}

static int attach(struct cmd *c, const struct unit *u, const struct program *program,
                  struct cgroup *cg, struct attachment *at)
{
	if (cgroup_lock(cg, &c->diags))
		return STATUS_FAILED;
	int failed =
		cgroup_attach(c->arena, &c->diags, cg, program, u->policy->name, &at->replaced);
	cgroup_unlock(cg);
	at->id = program_id(program);
	return failed ? STATUS_FAILED : STATUS_OK;
}

static int load_and_attach(struct cmd *c, struct unit *u, struct cgroup *cg, bool dry_run)
{
	struct attachment at = {.unit = u, .cgroup = cg, .dry_run = dry_run};
	struct program *program = NULL;
	struct bytes object;
	int status = unit_object(c, u, &object);
	if (status)
		return status;
	if (dry_run)
		at.not_asked = kernel_closed();
	if (!at.not_asked && program_load(c->arena, &c->diags, u->policy->name, object.data,
	                                  object.len, &program))
		return STATUS_FAILED;
	status = dry_run ? rehearse(c, &at) : attach(c, u, program, cg, &at);
	if (program)
		program_close(program);
	if (!status) {
		diags_flush(c);
		report(c, &at);
	}
	return status;
}

/* `apply CGROUP POLICY` is an easy mistake, and the messages for either would mislead. */
static bool is_swapped(const char *policy, const char *cgroup)
{
	struct stat first, second;
	return stat(policy, &first) == 0 && S_ISDIR(first.st_mode) && stat(cgroup, &second) == 0 &&
	       S_ISREG(second.st_mode);
}

static int apply(struct cmd *c, int argc, char **argv)
{
	bool dry_run = false;
	struct unit u;
	struct cgroup *cg;
	if (!parse(c, argc, argv, &dry_run))
		return c->status;
	if (is_swapped(argv[optind], argv[optind + 1]))
		return usage_error(c, "usage: " PROGRAM " apply POLICY CGROUP",
		                   "the policy comes first, then the cgroup");
	int status = unit_load(c, argv[optind], LOAD_IMAGE, &u);
	if (status)
		return status;
	if (cgroup_open(c->arena, &c->diags, argv[optind + 1], &cg))
		return STATUS_FAILED;
	status = load_and_attach(c, &u, cg, dry_run);
	cgroup_close(cg);
	return status;
}

const struct verb verb_apply = {
	.name = "apply",
	.synopsis = "POLICY CGROUP [--param K=V]... [--mode enforce] [--audit none] [--dry-run] [--json]",
	.summary = "Attach a policy to a cgroup, or replace the policy of the same name there",
	.help = "CGROUP is a directory of the cgroup v2 hierarchy. The new program takes the place of\n"
		"the old one in one step: at no time is there none, or two. Programs of others stay.\n\n"
		"  --dry-run         say what would happen, attach nothing\n"
		"  --mode enforce    the only mode of this version\n"
		"  --audit none      the only audit of this version\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = apply,
};
