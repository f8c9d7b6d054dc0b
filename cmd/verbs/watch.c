/* watch.c - the verb `watch`: attaches a policy and runs its handlers on what it denies. */
#include "cgroup/cgroup.h"
#include "cmd/audit/audit.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/unit.h"
#include "cmd/watch/watch.h"
#include "cmd/where/where.h"

#include <string.h>
#include <unistd.h>

static const struct option options[] = {
	WATCH_OPTIONS,
	OPTION_CLAIMS,
	OPTION_PARAM,
	OPTION_LIMIT,
	OPTION_UNCONFINED,
	OPTION_MODE,
	OPTION_AUDIT,
	OPTION_RING,
	OPTION_SELF,
	OPTION_UNIT,
	OPTION_JSON,
	OPTION_HELP,
	{0},
};

/* False: the verb ends with c->status. */
static bool parse(struct cmd *c, int argc, char **argv, struct watch_wish *w)
{
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END)
		if (opt == OPT_STOP || (c->status = watch_option(c, opt, w)))
			return false;
	int n = argc - optind, operands = 1 + !where_given(c);
	c->status = STATUS_OK;
	if (n != operands)
		c->status = usage_error(c, NULL, n > operands    ? "more than a policy and a cgroup given"
		                                 : n             ? "no cgroup given"
		                                 : operands == 2 ? "no policy and no cgroup given"
		                                                 : "no policy given");
	return n == operands;
}

static int load(struct cmd *c, const char *path, struct unit *u)
{
	const struct load how = {.depth = LOAD_IMAGE, .kernel = true, .policy_only = true, .keep = c->claims.n};
	int status = claims_open(c);
	if (!status)
		status = unit_load(c, &c->settings, path, &how, u);
	if (!status)
		status = claims_ask(c, u, NULL);
	if (status)
		return status;
	unit_end(u);
	if (u->policy->handlers.len)
		return STATUS_OK;
	diag_add(&c->diags, DIAG_ERROR, (struct span){.file = path},
	         "write one, as in on(:deny) { |e| puts \"#{e.comm} wanted #{e.device}\" }; or `" PROGRAM " apply`, and `" PROGRAM " audit` shows denials",
	         "the policy has no user half: there is nothing to run");
	return STATUS_REFUSED;
}

		return STATUS_FAILED;
	if (w->maps && maps_free(w->maps, w->cgroup, w->unit.policy->name))
		return STATUS_FAILED;
	int status = apply_unit(c, &w->unit, w->cgroup, false, stderr);
	if (!status && w->unit.policy->audit != AUDIT_NONE)
		status = denials_open(c, w->cgroup, w->unit.policy->name, w->fold, &w->denials);
	if (!status && w->maps && maps_use_attached(w->maps, w->cgroup, w->unit.policy->name))
		status = STATUS_FAILED;
	return status;
}

/* From here on stdout has what handlers print. */
static void begin(struct watched *w)
{
	struct cmd *c = w->cmd;
	if (w->json) {
		json_t *o = json_pack("{s:s, s:O}", "schema", JSON_SCHEMA, "attached", c->json.out);
		json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		putchar('\n');
		json_decref(o);
	}
	fflush(stdout);
	c->json.printed = true;
	c->json.on = false;
	diags_flush(c);
	rooms_reap(c); /* those that compiled it */
	if (isatty(STDERR_FILENO))
		tell(c, "Ctrl-C ends it; the policy stays attached: `" PROGRAM " detach` takes it off");
}

static int run(struct watched *w, int signals)
{
	static const char *const words[] = {[WATCH_SIGNAL] = "signal", [WATCH_TIMEOUT] = "timeout", [WATCH_ENDED] = "detached", [WATCH_FAILED] = "failed"};
	struct cmd *c = w->cmd;
	uint64_t start = watch_now();
	struct feed feeds[2];
	size_t nfeeds = 0;
	if (w->denials)
		feeds[nfeeds++] = denials_feed(w->denials);
	if (w->maps)
		feeds[nfeeds++] = maps_feed(w->maps);
	enum watch_ending ending = watch_loop(c, w->handlers, feeds, nfeeds, signals, w->timeout);
	struct denials_counts counts = {0};
	if (w->denials)
		counts = denials_counts(w->denials);
	struct summary s = {.policy = w->unit.policy->name, .cgroup = w->cgroup->path, .handlers = w->handlers,
	                    .seconds = (double)(watch_now() - start) / (double)WATCH_NSEC, .denials = w->denials ? &counts : NULL,
	                    .ended = words[ending]};
	handlers_end(w->handlers);
	summary_print(c, w->handlers, &s, w->json);
	if (ending != WATCH_ENDED)
		tell(c, "'%s' stays attached to %s; `" PROGRAM " detach %s %s` takes it off", s.policy, s.cgroup, shell_word(c->arena, s.cgroup),
		     shell_word(c->arena, s.policy));
	return ending == WATCH_FAILED ? STATUS_FAILED : ending == WATCH_ENDED ? STATUS_DETACHED : STATUS_OK;
}

static int watch_it(struct watched *w, const char *policy, const char *where)
{
	struct cmd *c = w->cmd;
	int status = load(w, policy), signals = -1;
	if (!status && where_open(c, where, WHERE_ATTACH, &w->cgroup))
		status = STATUS_FAILED;
	const struct policy *p = w->unit.policy;
	if (!status && p->raw && p->raw->nmaps)
		w->maps = maps_new(c, p->raw);
	if (!status)
		status = handlers_open(c, p->file, p->handlers.data, p->handlers.len, w->maps ? maps_answers(w->maps) : NULL, w->json,
		                       &w->handlers);
	if (!status)
		status = check_reports(w);
	if (!status && (signals = watch_signals(c)) < 0)
		status = STATUS_FAILED;
	if (!status)
		status = attach(w);
	if (!status) {
		begin(w);
		status = run(w, signals);
	}
	if (signals >= 0)
		close(signals);
	return status;
}

static int watch(struct cmd *c, int argc, char **argv)
{
	struct watch_wish wish = {.timeout = UINT64_MAX};
	struct unit u;
	if (!parse(c, argc, argv, &wish))
		return c->status;
	int status = load(c, argv[optind], &u);
	return status ? status : watch_unit(c, &u, where_given(c) ? NULL : argv[optind + 1], &wish);
}

const struct verb verb_watch = {
	.name = "watch",
	.synopsis = "POLICY CGROUP | POLICY --self | POLICY --unit NAME\n"
		    "                           [--param K=V]... [--mode enforce|permissive]\n"
		    "                           [--audit none|denied|all] [--ring SIZE] [--claims FILE]...\n"
		    "                           [--fold S] [--timeout S] [--json]",
	.summary = "Attach a policy and run its handlers on what it denies",
	.help = "A policy may have handlers beside its rules: on(:deny) { |e| ... },\n"
		"every(5) { ... }, at_exit { ... }. They run in a locked process of their own,\n"
		"and what they print goes to stdout. The policy is attached as `apply` does it,\n"
		"and it stays attached when watch ends, whatever ends it. One reader at a time:\n"
		"a second watch or audit is refused. Messages and what was counted go to stderr.\n"
		"With --json stdout has one object a line.\n\n"
		WATCH_OPTIONS_HELP,
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = watch,
	.usage = "POLICY CGROUP | POLICY --self | POLICY --unit NAME",
	.example = PROGRAM " watch policy.rb /web --timeout 60",
};
