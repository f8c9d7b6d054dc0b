/* grants.c - the grants of this host, and what became of each. */
#include "cmd/grant/grant.h"
#include "cmd/where/where.h"

#include <string.h>

static const struct option options[] = {TARGET_OPTIONS, OPTION_SELF, OPTION_UNIT, OPTION_JSON, OPTION_HELP, {0}};

/* Those for the cgroup, and for what is above it: they open its devices, too. */
static size_t select_for(const struct cgroup *cg, struct host_grant *list, size_t n)
{
	const char *path = cg->path + strlen(cg->mount);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (list[i].key.cgroup == cg->id || grant_path_above(list[i].path, path))
			list[kept++] = list[i];
	return kept;
}

static int show(struct cmd *c, const struct cgroup *cg)
{
	struct hostprog *hp;
	struct host_grant *entries = NULL;
	struct grant *list;
	size_t n = 0, grants;
	if (hostprog_open(c->arena, &c->diags, &hp))
		return STATUS_FAILED;
	int failed = hp ? grants_read(c->arena, &c->diags, hp, &entries, &n) : 0;
	hostprog_close(hp);
	if (failed)
		return STATUS_FAILED;
	if (cg)
		n = select_for(cg, entries, n);
	grants_group(c->arena, entries, n, &list, &grants);
	grants_look(c, list, grants);
	if (c->json.on) {
		json_t *all = json_array();
		for (size_t i = 0; i < grants; i++)
			json_array_append_new(all, grant_json(c, &list[i]));
		json_object_set_new(c->json.out, "grants", all);
	} else if (grants) {
		grants_print(c, list, grants);
	} else {
		puts(cg ? "no grant is for this cgroup" : "there are no grants");
	}
	return c->diags.errors ? STATUS_FAILED : STATUS_OK;
}

static int grants(struct cmd *c, int argc, char **argv)
{
	struct grant_target t = {.held.pidfd = -1};
	int opt, status, first = 0;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		if ((status = target_option(c, opt, optarg, &t)))
			return status;
	}
	bool one = optind < argc || t.by_option || where_given(c);
	if (one && (status = target_operand(c, argc, argv, &t, &first)))
		return status;
	if (one && first < argc)
		return usage_error(c, NULL, "one cgroup at a time, please");
	const char *hint = NULL, *closed = hostprog_closed(c->arena, &hint);
	if (closed)
		return diag_fail(&c->diags, hint, "%s", closed), STATUS_FAILED;
	status = one && target_open(c, &t) ? STATUS_FAILED : show(c, t.cg);
	target_close(&t);
	return status;
}

const struct verb verb_grants = {
	.name = "grants",
	.synopsis = "[CGROUP | --container NAME | --pid PID] [--json]",
	.usage = "[CGROUP]",
	.example = PROGRAM " grants",
	.summary = "Show which devices were granted, to whom, until when, and what they opened",
	.help = "A line for each grant, and one with who gave it, when and why. With CGROUP:\n"
		"those that are for it or for a cgroup above it. USED counts the requests that it\n"
		"opened. STATE: active; over (its time has passed); container is new, or its\n"
		"cgroup is new (it was given to one that is gone); its cgroup is gone; guard 'p'\n"
		"does not allow grants.\n\n"
		"  --container NAME  those of this container\n"
		"  --pid PID         those of the cgroup of this process\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = grants,
};
