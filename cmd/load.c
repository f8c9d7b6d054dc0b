/*
 * load.c - from a SOURCE on the command line to what the verbs work with.
 *
 * Ruby is run in one locked child; of what comes out another one, that never held an
 * interpreter, makes the program and proves it; an object goes to the second only. This
 * process has the policy as fixed-size records.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/foreign.h"
#include "cmd/judged.h"
#include "cmd/source.h"

#include <string.h>
#include <unistd.h>

/* Runs the policy in one child; what it is, for the other. */
static int run_ruby(const struct loading *g, struct room *r, const struct document *in, uint32_t flags, struct delivery *d)
{
	struct cmd *c = g->cmd;
	const struct load *l = g->load;
	struct errand o = {.job = {.kind = JOB_RUBY, .flags = flags}, .ask = l->ask, .file = in->file,
	                  .text = in->text, .len = in->len, .first = true};
	int status = errand_run(g, r, &o, d);
	if (!status && (!d->policy || d->nverdicts != d->verdicts_max)) {
		diag_add(&c->diags, DIAG_ERROR, (struct span){.file = in->file}, NULL,
		         "the policy is refused: the process that compiles it answered less than it was asked");
		status = STATUS_REFUSED;
	}
	return status;
}

/* ---- loading ---------------------------------------------------------------------------- */

/* An object made before from the same policy, proven again. False: there is none of use. */
static bool load_cached(const struct loading *g, struct room *r, const struct document *in, struct unit *u)
{
	struct cmd *c = g->cmd;
	struct bytes object;
	struct diags kept = c->diags;
	if (!cache_find(c, g->settings, in, &object))
		return false;
	int status = unit_judge(g, r, JOB_OBJECT, in->file, object.data, object.len, u);
	c->diags = kept; /* what is wrong with it does not matter */
	return !status;
}

static int load_ruby(const struct loading *g, struct room *runner, struct room *prover, const struct document *in,
                     struct unit *u)
{
	struct cmd *c = g->cmd;
	struct delivery d;
	struct bytes object;
	int status = run_ruby(g, runner, in, g->load->bytecode ? JOB_BYTECODE : 0, &d);
	room_close(runner);
	u->bytecode = d.text;
	if (!status)
		status = unit_judge(g, prover, JOB_POLICY, in->file, d.policy, d.npolicy, u);
	if (d.policy)
		arena_release(c->arena, d.policy, d.npolicy);
	if (!status && g->load->depth == LOAD_IMAGE && c->cache && !unit_object(c, u, &object))
		cache_store(c, g->settings, in, &object);
	return status;
}

/* Where the policy is: a path, or a file that is open and that only root may have written. */
struct place {
	const char *file;
	int fd; /* -1: not open yet */
};

static int read_policy(struct cmd *c, const struct place *p, struct document **in)
{
	const char *file = p->file, *slash = strrchr(file, '/');
	c->asking.trusted = p->fd >= 0;
	c->asking.directory = !strcmp(file, "-") ? NULL
	                      : !slash           ? "."
	                      : slash == file    ? "/"
	                                         : arena_strndup(c->arena, file, (size_t)(slash - file));
	return p->fd < 0 ? input_read(c, file, INPUT_POLICY, in) : input_read_fd(c, p->fd, file, INPUT_POLICY, in);
}

/* The children are made before the policy is read: what they inherit is small. */
static int load_policy(const struct loading *g, const struct place *from, struct unit *u)
{
	struct cmd *c = g->cmd;
	struct document *in;
	struct room *runner, *prover;
	int status = room_open(c, g->settings, work_ruby, &runner); /* it has the most to do: first */
	if (!status)
		status = room_open(c, g->settings, work_judge, &prover);
	if (!status)
		status = read_policy(c, from, &in);
	if (status)
		return status;
	if (object_is(in->text, in->len)) {
		room_close(runner);
		return unit_judge(g, prover, JOB_OBJECT, in->file, in->text, in->len, u);
	}
	if (c->cache && load_cached(g, prover, in, u)) {
		room_close(runner);
		return STATUS_OK;
	}
	c->asking.nloaded = 0; /* of those that were read to ask whether an entry is fresh */
	if (c->cache) { /* one that had another object is not used again */
		room_close(prover);
		status = room_open(c, g->settings, work_judge, &prover);
	}
	return status ? status : load_ruby(g, runner, prover, in, u);
}

/* A bundle's config.json: a stranger's, and read in the child. */
static int load_spec(const struct loading *g, const char *path, struct unit *u)
{
	struct document *in;
	struct room *prover;
	json_object_seed(0); /* from a file that the child cannot open */
	int status = room_open(g->cmd, g->settings, work_judge, &prover);
	if (!status)
		status = input_read(g->cmd, path, g->source ? INPUT_FOREIGN : INPUT_SPEC, &in);
	return status ? status : unit_judge(g, prover, JOB_OCI, in->file, in->text, in->len, u);
}

/* A list of another tool: read here, because it names files and devices of the host. */
static int load_list(const struct loading *g, const struct foreign_wish *w, struct unit *u)
{
	struct cmd *c = g->cmd;
	struct foreign f;
	struct policy *p;
	struct room *prover;
	int status = room_open(c, g->settings, work_judge, &prover);
	if (!status)
		status = foreign_load(c, w, &f);
	if (!status && (foreign_policy(c->arena, &c->diags, &f, &p) || serial_keep(p, &c->diags)))
		status = STATUS_REFUSED;
	return status ? status : unit_judge(g, prover, JOB_POLICY, p->file, p->serial.data, p->serial.len, u);
}

static int load_foreign(const struct loading *g, const char *source, struct unit *u)
{
	struct foreign_wish w;
	size_t before = g->cmd->diags.n;
	source_list(g->cmd->arena, source, &w);
	if (w.format != FOREIGN_OCI)
		return load_list(g, &w, u);
	int status = load_spec(g, w.file, u);
	foreign_reword(g->cmd, &w, before);
	return status;
}

/* What a SOURCE of the kernel has attached: read here, understood in the child. */
static int load_programs(const struct loading *g, const char *source, struct unit *u)
{
	struct room *prover;
	void *bytes;
	size_t len;
	int status = room_open(g->cmd, g->settings, work_judge, &prover);
	if (!status)
		status = source_read(g->cmd, source, &bytes, &len);
	if (!status)
		status = unit_judge(g, prover, JOB_DUMPS, source, bytes, len, u);
	return status == STATUS_REFUSED ? STATUS_FAILED : status; /* nobody's policy is at fault */
}

int claims_run(struct cmd *c, const char *path, struct bytes *out)
{
	const struct load plain = {.depth = LOAD_DIAGRAM};
	struct settings s = c->settings;
	struct loading g = {c, &s, &plain, false};
	struct document *in;
	struct room *runner;
	struct delivery d;
	s.nparams = 0; /* they are the policy's */
	s.mode = s.audit = 0;
	int status = room_open(c, &s, work_ruby, &runner);
	if (!status)
		status = read_policy(c, &(struct place){path, -1}, &in);
	if (!status && object_is(in->text, in->len)) {
		diag_add(&c->diags, DIAG_ERROR, (struct span){.file = in->file}, "give the .rb with the claims", "an object is no file of claims");
		status = STATUS_REFUSED;
	}
	if (!status)
		status = run_ruby(&g, runner, in, JOB_CLAIMS, &d);
	room_close(runner);
	if (!status)
		*out = (struct bytes){d.policy, d.npolicy};
	return status;
}

/* What a SOURCE that is no policy cannot be given. */
static int refuse(struct cmd *c, const struct settings *s, const char *source, const struct load *l)
{
	if (l->policy_only)
		return usage_error(c, arena_printf(c->arena, "make an object of it first: " PROGRAM " compile %s -o x.o, and then name x.o",
		                                   shell_word(c->arena, source)),
		                   "%s: %s takes a policy, no other source", source, c->verb->name);
	return s->nparams ? usage_error(c, "take the option away", "%s: only a policy has parameters, so --param %s is of none", source,
	                                s->params[0].name)
	                  : STATUS_OK;
}

/* No such file: the word before its colon may be meant for another. */
static void hint_source(struct cmd *c, const char *path)
{
	const char *hint = access(path, F_OK) ? source_hint(c->arena, path) : NULL;
	if (hint && c->diags.n)
		c->diags.items[c->diags.n - 1].hint = hint;
}

int unit_load(struct cmd *c, const struct settings *s, const char *path, const struct load *l, struct unit *u)
{
	enum source_kind kind = source_kind(path);
	struct loading g = {c, s, l, kind != SOURCE_POLICY};
	*u = (struct unit){0};
	int status = g.source ? refuse(c, s, path, l) : STATUS_OK;
	if (status)
		return status;
	status = unit_loaded(c, kind == SOURCE_PROGRAMS ? load_programs(&g, path, u)
	                : kind == SOURCE_LIST   ? load_foreign(&g, path, u)
	                                        : load_policy(&g, &(struct place){path, -1}, u),
	                l, u);
	if (status == STATUS_FAILED && !g.source && !l->policy_only)
		hint_source(c, path);
	return status;
}

int unit_load_fd(struct cmd *c, const struct settings *s, int fd, const char *file, const struct load *l,
                 struct unit *u)
{
	struct loading g = {c, s, l, false};
	*u = (struct unit){0};
	return unit_loaded(c, load_policy(&g, &(struct place){file, fd}, u), l, u);
}

int unit_load_spec(struct cmd *c, const struct settings *s, const char *path, const struct load *l, struct unit *u)
{
	struct loading g = {c, s, l, false};
	*u = (struct unit){0};
	return unit_loaded(c, load_spec(&g, path, u), l, u);
}
