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
#include "cmd/room/record.h"
#include "cmd/source.h"
#include "cmd/unit.h"
#include "policy/raw.h"

#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

/* What is to be loaded, and how. */
struct loading {
	struct cmd *cmd;
	const struct settings *settings;
	const struct load *load;
	bool source; /* a list or programs: no child ran before the one that proves it */
};

/* ---- the two children ------------------------------------------------------------------ */

/* What a child hands back. */
struct delivery {
	struct cmd *cmd;
	unsigned char *policy; /* of the child that ran it */
	size_t npolicy;
	struct recorded record;
	bool has_record;
	char *text;
	struct verdict *verdicts; /* of mruby, one a frame */
	size_t nverdicts, verdicts_max;
	struct claims_told claims;
};

static bool take_delivery(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct delivery *d = self;
	struct arena *a = d->cmd->arena;
	switch (kind) {
	case FRAME_POLICY:
		if (d->policy)
			return false;
		d->policy = arena_alloc(a, len);
		d->npolicy = len;
		memcpy(d->policy, data, len);
		return true;
	case FRAME_RECORD:
		d->has_record = !d->has_record && record_read(a, data, len, &d->record);
		return d->has_record;
	case FRAME_TEXT:
		if (d->text)
			return false;
		d->text = arena_strndup(a, (const char *)data, strnlen((const char *)data, len));
		return true;
	case FRAME_CLAIM:
		return claim_take(a, &d->claims, data, len);
	case FRAME_VERDICTS:
		if (len != sizeof *d->verdicts || d->nverdicts == d->verdicts_max)
			return false;
		memcpy(&d->verdicts[d->nverdicts++], data, len);
		return true;
	default:
		return false;
	}
}

/* A job's fixed part and what follows it but the text. */
static unsigned char *job_head(const struct loading *g, const struct job *job, const struct ask *ask, const char *file,
                               size_t *n)
{
	size_t params = job->nparams * sizeof(struct job_param), requests = job->nrequests * sizeof(struct request_record);
	*n = sizeof *job + params + requests + job->file_len;
	unsigned char *head = arena_alloc(g->cmd->arena, *n);
	memcpy(head, job, sizeof *job);
	for (size_t i = 0; i < job->nparams; i++) {
		const struct param_setting *given = &g->settings->params[i];
		struct job_param p = {.value = given->value};
		memcpy(p.name, given->name, strnlen(given->name, sizeof p.name - 1));
		memcpy(head + sizeof *job + i * sizeof p, &p, sizeof p);
	}
	if (requests)
		memcpy(head + sizeof *job + params, ask->requests, requests);
	memcpy(head + *n - job->file_len, file, job->file_len);
	return head;
}

/* Before its first program libbpf puts some twenty questions to the kernel, by programs of its
 * own. Here they are put while a child is at work: the least of a program is loaded and dropped.
 * What is wrong will be said of the program that is wanted. */
static void ask_kernel(struct cmd *c)
{
	struct bpf_insn deny[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}};
	struct image_line lines[1] = {{0}};
	if (c->kernel_asked || kernel_closed())
		return;
	c->kernel_asked = true;
	struct arena *a = arena_scratch(c->arena);
	struct policy p = {.arena = a, .terms = terms_new(a), .file = PROGRAM, .name = PROGRAM};
	struct image image = {.insns = deny, .ninsns = 2, .tail = 2, .longest = 2, .lines = lines, .nlines = 1};
	struct bytes object;
	struct diags unsaid;
	struct program *program;
	diags_init(&unsaid, a);
	if (!object_write(&p, &image, &unsaid, &object) &&
	    !program_load(a, &unsaid, p.name, object.data, object.len, &program))
		program_close(program);
	arena_free(a);
}

struct order {
	struct job job; /* kind and flags */
	const struct ask *ask; /* or NULL */
	const char *file;
	const void *text;
	size_t len;
	bool go_on;
	bool first; /* nothing was done for this policy before */
};

/* Sends a job and waits for what comes of it. */
static int give(const struct loading *g, struct room *r, const struct order *o, struct delivery *d)
{
	static const struct ask nothing = {0};
	const struct ask *ask = o->ask ? o->ask : &nothing;
	const struct settings *s = g->settings;
	struct job job = o->job;
	job.mode = s->mode;
	job.audit = s->audit;
	job.nparams = job.kind == JOB_POLICY ? 0 : (uint32_t)s->nparams;
	job.nrequests = (uint32_t)ask->n;
	job.file_len = (uint32_t)strlen(o->file);
	job.text_len = (uint32_t)o->len;
	*d = (struct delivery){.cmd = g->cmd, .verdicts = ask->verdicts, .verdicts_max = ask->n};
	struct call call = {.kind = FRAME_JOB, .data = o->text, .len = o->len, .go_on = o->go_on,
	                    .meanwhile = o->first && g->load->kernel ? ask_kernel : NULL};
	call.head = job_head(g, &job, ask, o->file, &call.nhead);
	struct taker taker = {take_delivery, d, RECORD_MAX};
	return room_call(r, o->file, &call, &taker);
}

/* Runs the policy in one child; what it is, for the other. */
static int run_ruby(const struct loading *g, struct room *r, const struct document *in, uint32_t flags, struct delivery *d)
{
	struct cmd *c = g->cmd;
	const struct load *l = g->load;
	struct order o = {.job = {.kind = JOB_RUBY, .flags = flags}, .ask = l->ask, .file = in->file,
	                  .text = in->text, .len = in->len, .first = true};
	int status = give(g, r, &o, d);
	if (!status && (!d->policy || d->nverdicts != d->verdicts_max)) {
		diag_add(&c->diags, DIAG_ERROR, (struct span){.file = in->file}, NULL,
		         "the policy is refused: the process that compiles it answered less than it was asked");
		status = STATUS_REFUSED;
	}
	return status;
}

/* Has the policy proven in a child that ran no Ruby. */
static int judge(const struct loading *g, struct room *r, enum job_kind kind, const char *file, const void *text,
                 size_t len, struct unit *u)
{
	const struct load *l = g->load;
	struct delivery d;
	uint32_t flags = (l->depth == LOAD_IMAGE ? JOB_IMAGE : 0) | (l->lint ? JOB_LINT : 0) | (g->source ? JOB_SETTLED : 0);
	struct order o = {.job = {.kind = kind, .flags = flags}, .file = file, .text = text, .len = len,
	                  .go_on = !g->source && kind == JOB_POLICY, .first = kind != JOB_POLICY};
	int status = give(g, r, &o, &d);
	u->claims = d.claims;
	if (!status && (!d.has_record || (l->depth == LOAD_IMAGE && !d.record.image.ninsns))) {
		diag_add(&g->cmd->diags, DIAG_ERROR, (struct span){.file = file}, NULL,
		         "the policy is refused: the process that proves it answered less than it was asked");
		status = STATUS_REFUSED;
	}
	if (status)
		return status;
	static const char *const instead[] = {[JOB_OBJECT] = "an object", [JOB_OCI] = "a list", [JOB_DUMPS] = "a program of the kernel"};
	*u = (struct unit){.instead = kind == JOB_POLICY ? g->source ? "a list" : NULL : instead[kind], .policy = d.record.policy, .image = d.record.image,
	                   .inputs = d.record.inputs, .null_denied = d.record.null_denied, .judge = r,
	                   .kept_uid = room_kept_uid(r), .bytecode = u->bytecode, .ring = g->settings->ring, .claims = d.claims};
	return STATUS_OK;
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
	int status = judge(g, r, JOB_OBJECT, in->file, object.data, object.len, u);
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
		status = judge(g, prover, JOB_POLICY, in->file, d.policy, d.npolicy, u);
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
		return judge(g, prover, JOB_OBJECT, in->file, in->text, in->len, u);
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
	return status ? status : judge(g, prover, JOB_OCI, in->file, in->text, in->len, u);
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
	return status ? status : judge(g, prover, JOB_POLICY, p->file, p->serial.data, p->serial.len, u);
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
		status = judge(g, prover, JOB_DUMPS, source, bytes, len, u);
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

void unit_end(struct unit *u)
{
	room_close(u->judge);
	u->judge = NULL;
}

/* A raw program of another section than cgroup/dev is asked about no device. */
static int refuse_section(struct cmd *c, const struct unit *u)
{
	const struct raw *raw = u->policy->raw;
	diag_add(&c->diags, DIAG_ERROR, raw->at, arena_printf(c->arena, PROGRAM " trace %s runs it", shell_word(c->arena, u->policy->file)),
	         "a program of section %s decides about no device", raw->section_name);
	return STATUS_REFUSED;
}

/* The child that proved it goes on only for those who will ask it. */
static int loaded(struct cmd *c, int status, const struct load *l, struct unit *u)
{
	if (!status && !l->any_section && !policy_decides(u->policy))
		status = refuse_section(c, u);
	if (!l->keep)
		unit_end(u);
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
	status = loaded(c, kind == SOURCE_PROGRAMS ? load_programs(&g, path, u)
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
	return loaded(c, load_policy(&g, &(struct place){file, fd}, u), l, u);
}

int unit_load_spec(struct cmd *c, const struct settings *s, const char *path, const struct load *l, struct unit *u)
{
	struct loading g = {c, s, l, false};
	*u = (struct unit){0};
	return loaded(c, load_spec(&g, path, u), l, u);
}

/* ---- asking ------------------------------------------------------------------------------- */

int unit_call(struct cmd *c, const struct unit *u, const struct call *call, const struct taker *t, const bool *there)
{
	int status = room_call(u->judge, u->policy->file, call, t);
	if (status || *there)
		return status;
	diag_fail(&c->diags, NULL, "the process that proves the policy did not answer");
	return STATUS_FAILED;
}

int unit_plain(struct cmd *c, const struct unit *u, struct unit *out)
{
	struct delivery d = {.cmd = c};
	struct taker taker = {take_delivery, &d, RECORD_MAX};
	struct call call = {.kind = FRAME_PLAIN};
	int status = room_call(u->judge, u->policy->file, &call, &taker);
	*out = (struct unit){.policy = d.record.policy, .image = d.record.image};
	if (!status && (!d.has_record || !d.record.image.ninsns)) {
		diag_fail(&c->diags, NULL, "the process that proves the policy answered less than it was asked");
		status = STATUS_FAILED;
	}
	return status;
}

int unit_listing(struct cmd *c, const struct unit *u, enum dump_kind kind, const char **text)
{
	struct delivery d = {.cmd = c};
	struct taker taker = {take_delivery, &d, RECORD_MAX};
	struct about about = {u->part, kind};
	struct call call = {.kind = FRAME_DUMP, .data = &about, .len = sizeof about};
	int status = room_call(u->judge, u->policy->file, &call, &taker);
	*text = d.text ? d.text : "";
	return status;
}

struct answers { struct verdict_pair *out; size_t n; bool there; };

static bool take_answers(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct answers *a = self;
	if (kind != FRAME_VERDICTS || a->there || len != a->n * sizeof *a->out)
		return false;
	memcpy(a->out, data, len);
	return a->there = true;
}

int unit_ask(struct cmd *c, const struct unit *u, const struct request_record *requests, size_t n,
             struct verdict_pair *out)
{
	for (size_t i = 0; i < n; i += ASK_MOST) {
		size_t some = n - i < ASK_MOST ? n - i : ASK_MOST;
		struct answers a = {out + i, some, false};
		struct taker taker = {take_answers, &a, some * sizeof *out};
		struct about about = {.part = u->part};
		struct call call = {.kind = FRAME_REQUESTS, .head = &about, .nhead = sizeof about, .data = requests + i,
		                    .len = some * sizeof *requests};
		int status = unit_call(c, u, &call, &taker, &a.there);
		if (status)
			return status;
	}
	return STATUS_OK;
}

bool verdict_decision(struct cmd *c, const struct policy *p, const struct verdict *v, struct decision *out)
{
	*out = (struct decision){.allow = v->allow, .error = v->error};
	if (v->status == VERDICT_MISSING)
		return v->missing >= 0 && v->missing < INPUT_MAX;
	if (v->rule > p->nrules || v->status > VERDICT_FAILED)
		return false;
	const struct rule *r = out->rule = v->rule ? &p->rules[v->rule - 1] : NULL;
	if (!v->error || !r)
		return true;
	if (v->raise > r->nraises)
		return false;
	if (v->raise) {
		out->raise = &r->raises[v->raise - 1];
	} else if (*v->text) {
		struct raise *raise = arena_alloc(c->arena, sizeof *raise);
		*raise = (struct raise){.at = {.file = r->at.file, .line = v->line > 0 ? v->line : 0},
		                        .what = arena_strndup(c->arena, v->text, strnlen(v->text, VERDICT_TEXT))};
		out->raise = raise;
	}
	return true;
}
