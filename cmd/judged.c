/*
 * judged.c - a policy proven by the child that never held an interpreter, and asked afterwards. It comes from another
 * child, or is an object.
 */
#include "cmd/judged.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "policy/raw.h"

#include <linux/bpf.h>
#include <string.h>

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
static unsigned char *job_head(const struct loading *g, const struct job *job, const struct ruby_ask *ask, const char *file,
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

int errand_run(const struct loading *g, struct room *r, const struct errand *o, struct delivery *d)
{
	static const struct ruby_ask nothing = {0};
	const struct ruby_ask *ask = o->ask ? o->ask : &nothing;
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

int unit_judge(const struct loading *g, struct room *r, enum job_kind kind, const char *file, const void *text,
               size_t len, struct unit *u)
{
	const struct load *l = g->load;
	struct delivery d;
	uint32_t flags = (l->depth == LOAD_IMAGE ? JOB_IMAGE : 0) | (l->lint ? JOB_LINT : 0) | (g->source ? JOB_SETTLED : 0);
	struct errand o = {.job = {.kind = kind, .flags = flags}, .file = file, .text = text, .len = len,
	                  .go_on = !g->source && kind == JOB_POLICY, .first = kind != JOB_POLICY};
	int status = errand_run(g, r, &o, &d);
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

int unit_loaded(struct cmd *c, int status, const struct load *l, struct unit *u)
{
	if (!status && !l->any_section && !policy_decides(u->policy))
		status = refuse_section(c, u);
	if (!l->keep)
		unit_end(u);
	return status;
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
