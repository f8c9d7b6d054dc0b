/*
 * attached.c - a policy that is attached and watched: from its load to its summary. For the verb `watch`, and for
 * what `bundle` writes.
 *
 * It is attached only when its handlers run. It stays attached when watch ends, however that happens: what is denied
 * never depends on somebody who watches.
 */
#include "cgroup/cgroup.h"
#include "cmd/audit/audit.h"
#include "cmd/cli.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/unit.h"
#include "cmd/watch/watch.h"
#include "cmd/where/where.h"

#include <unistd.h>

/* A watch at work. */
struct watched {
	struct cmd *cmd;
	struct unit *unit;
	struct cgroup *cgroup;
	struct handlers *handlers;
	struct denials *denials; /* NULL: the policy reports nothing */
	struct watched_maps *maps; /* NULL: it is no raw program with maps */
	uint64_t timeout, fold;
	bool json;
};

/* What handlers wait for must be reported: options go over what the file says. */
static int check_reports(struct watched *w)
{
	const struct user_ready *has = handlers_has(w->handlers);
	enum audit_level audit = w->unit->policy->audit;
	const char *of = has->allowed && audit != AUDIT_ALL ? "allow" : has->denied && audit == AUDIT_NONE ? "deny" : NULL;
	if (!of)
		return STATUS_OK;
	return usage_error(w->cmd, "leave --audit out", "on(:%s) would be given nothing with --audit %s", of, audit_words[audit]);
}

static int attach(struct watched *w)
{
	struct cmd *c = w->cmd;
	if (denials_free(c, w->cgroup, w->unit->policy->name))
		return STATUS_FAILED;
	if (w->maps && maps_free(w->maps, w->cgroup, w->unit->policy->name))
		return STATUS_FAILED;
	int status = apply_unit(c, w->unit, w->cgroup, false, stderr);
	if (!status && w->unit->policy->audit != AUDIT_NONE)
		status = denials_open(c, w->cgroup, w->unit->policy->name, w->fold, &w->denials);
	if (!status && w->maps && maps_use_attached(w->maps, w->cgroup, w->unit->policy->name))
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
		tell(c, "Ctrl-C ends it; the policy stays attached: `%s detach` takes it off", c->cli->name);
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
	struct summary s = {.policy = w->unit->policy->name, .cgroup = w->cgroup->path, .handlers = w->handlers,
	                    .seconds = (double)(watch_now() - start) / (double)WATCH_NSEC, .denials = w->denials ? &counts : NULL,
	                    .ended = words[ending]};
	handlers_end(w->handlers);
	summary_print(c, w->handlers, &s, w->json);
	if (ending != WATCH_ENDED)
		tell(c, "'%s' stays attached to %s; `%s detach %s%s%s` takes it off", s.policy, s.cgroup, c->cli->name,
		     shell_word(c->arena, s.cgroup), c->cli->one_policy ? "" : " ", c->cli->one_policy ? "" : shell_word(c->arena, s.policy));
	return ending == WATCH_FAILED ? STATUS_FAILED : ending == WATCH_ENDED ? STATUS_DETACHED : STATUS_OK;
}

int watch_option(struct cmd *c, int opt, struct watch_wish *out)
{
	return opt == OPT_WATCH_TIMEOUT ? option_seconds(c, "--timeout", optarg, 0, &out->timeout)
	       : opt == OPT_WATCH_FOLD  ? option_seconds(c, "--fold", optarg, 1, &out->fold)
	                                : STATUS_OK;
}

static int watch_it(struct watched *w, const char *where)
{
	struct cmd *c = w->cmd;
	const struct policy *p = w->unit->policy;
	int status = where_open(c, where, WHERE_ATTACH, &w->cgroup) ? STATUS_FAILED : STATUS_OK, signals = -1;
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

int watch_unit(struct cmd *c, struct unit *u, const char *where, const struct watch_wish *wish)
{
	struct watched w = {.cmd = c, .unit = u, .timeout = wish->timeout, .fold = wish->fold, .json = c->json.on};
	int status = watch_it(&w, where);
	if (w.denials)
		denials_close(w.denials);
	maps_close(w.maps);
	if (w.handlers)
		handlers_close(w.handlers);
	if (w.cgroup)
		cgroup_close(w.cgroup);
	return status;
}
