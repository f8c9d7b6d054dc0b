/*
 * work_judge.c - the child that makes the program and proves it: it never held an
 * interpreter.
 *
 * It gets a policy from the child that ran it, an object from anywhere, or another tool's
 * list; proves that the instructions compute the policy; hands out the policy as records,
 * and then answers what is asked about it.
 */
#include "cmd/room/judge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/room/record.h"
#include "policy/meaning.h"
#include "policy/raw.h"
#include "policy/lint_who.h"
#include "policy/survey.h"

/* ---- what came in ------------------------------------------------------------------------ */

/* The object is at fault, not its source: messages name its file. */
static bool read_object(struct judge *j, const struct order *o)
{
	struct diags *d = &j->in->diags;
	size_t before = d->n;
	bool ok = !object_read(j->in->arena, d, o->file, o->text, o->len, &j->policy, &j->image) &&
	          !prove_image(j->policy, d, &j->diagram, &j->image);
	for (size_t i = before; !ok && i < d->n; i++)
		d->items[i].at = (struct span){.file = o->file};
	for (size_t i = 0; ok && i < o->job.nparams; i++)
		ok = !object_set_param(j->policy, d, &o->params[i]);
	return ok;
}

/* What the child that ran Ruby says the policy is. */
static bool read_policy(struct judge *j, const struct order *o)
{
	struct diags said;
	uint64_t digest;
	diags_init(&said, j->in->arena);
	if (!serial_read(j->in->arena, &said, o->file, o->text, o->len, &j->policy, &digest))
		return true;
	diag_add(&j->in->diags, DIAG_ERROR, (struct span){.file = o->file}, "report it with the policy",
	         "what the process that ran the policy returned is damaged");
	return false;
}

static bool make(struct judge *j, bool program)
{
	struct diags *d = &j->in->diags;
	if (program && j->unknown)
		return !diag_fail(d, "explain says what is known of it", "%s decides by what is not understood: it cannot be compiled",
		                  j->policy->file);
	j->policy->serial.data = NULL;
	if (!policy_decides(j->policy))
		return !program || !compile_policy(j->policy, d, &j->diagram, &j->image);
	return program ? !compile_policy(j->policy, d, &j->diagram, &j->image)
	               : !policy_diagram_any(j->policy, d, &j->diagram);
}

static bool override(struct judge *j, const struct order *o)
{
	return policy_override(j->policy, &j->in->diags, o->job.mode, o->job.audit);
}

static bool take_in(struct judge *j, const struct order *o)
{
	budget_stage(&j->in->budget, STAGE_READ);
	switch (o->job.kind) {
	case JOB_POLICY:
		return read_policy(j, o) && make(j, o->job.flags & JOB_IMAGE);
	case JOB_OBJECT:
		if (!read_object(j, o))
			return false;
		lint_left_out(&j->in->diags, j->policy);
		return !override(j, o) || make(j, true);
	case JOB_OCI:
		if (!j->read_list || !j->read_list(j, o))
			return false;
		override(j, o);
		return make(j, o->job.flags & JOB_IMAGE);
	case JOB_DUMPS:
		return judge_reads_programs(j, o) && (o->job.flags & JOB_EACH || make(j, o->job.flags & JOB_IMAGE));
	default:
		return false;
	}
}

/* ---- what goes out ------------------------------------------------------------------------- */

/* What nearly every process does to /dev/null, and is denied whoever it is. */
static int denies_null(const struct judge *j)
{
	int denied = 0;
	for (int access = ACC_READ; j->diagram.dg && access <= ACC_WRITE; access <<= 1) {
		struct request r = {.type = DEV_CHAR, .major = 1, .minor = 3, .access = access};
		struct decision d;
		int missing;
		if (!policy_decide(j->policy, &j->diagram, &r, &d, &missing) && !d.allow)
			denied |= access;
	}
	return denied;
}

static bool hand_out(struct judge *j, input_set inputs)
{
	struct recorded r = {.policy = j->policy, .image = j->image, .inputs = inputs, .null_denied = denies_null(j)};
	struct bytes bytes;
	if (j->diagram.dg)
		j->policy->meaning = policy_meaning(j->in->arena, j->policy, &j->diagram);
	budget_stage(&j->in->budget, STAGE_WRITE);
	if (serial_keep(j->policy, &j->in->diags) || record_write(&j->in->diags, &r, &bytes))
		return false;
	inside_write(j->in, FRAME_RECORD, bytes.data, bytes.len);
	return true;
}

/* A program of several, or all of them. */
static bool hand_out_part(struct judge *j)
{
	struct part head = {.failed = !j->policy};
	size_t len = strlen(j->told);
	char *bytes = arena_alloc(j->in->arena, sizeof head + len);
	memcpy(bytes, &head, sizeof head);
	memcpy(bytes + sizeof head, j->told, len);
	inside_write(j->in, FRAME_PART, bytes, sizeof head + len);
	return !j->policy || hand_out(j, 0);
}

static bool report_each(struct judge *j)
{
	for (size_t i = 0; i < j->nparts; i++)
		if (!hand_out_part(&j->parts[i]))
			return false;
	return hand_out_part(j);
}

static bool report(struct judge *j, bool lint)
{
	struct survey s = {0};
	budget_stage(&j->in->budget, STAGE_LINT);
	if (lint && j->diagram.dg) {
		survey_diagram(j->in->arena, j->policy, &j->diagram, &s);
		if (!j->policy->raw) { /* its one rule is the method's result */
			lint_rules(&j->in->diags, j->policy, &j->diagram, &s);
			lint_who(&j->in->diags, j->policy, &j->diagram);
		}
	}
	return hand_out(j, s.inputs);
}

/* The policy's verdicts and nothing else, for the kernel: a test ignores the mode, and a
 * denial must not look like an answer of the device. */
static bool plain(struct judge *j, const struct frame *f)
{
	(void)f;
	struct arena *a = j->in->arena;
	struct policy *p = arena_alloc(a, sizeof *p);
	struct judge only = {.in = j->in, .policy = p};
	*p = *j->policy;
	p->serial.data = NULL;
	p->audit = AUDIT_NONE;
	p->mode = MODE_ENFORCE;
	p->rules = arena_alloc(a, p->nrules * sizeof *p->rules);
	for (size_t i = 0; i < p->nrules; i++) {
		p->rules[i] = j->policy->rules[i];
		p->rules[i].error = 0;
	}
	return !compile_policy(p, &j->in->diags, &only.diagram, &only.image) && hand_out(&only, 0);
}

static void simulate_one(const struct judge *j, const struct request *r, struct verdict *v)
{
	struct simulated out;
	const char *why = NULL;
	int missing = -1;
	*v = (struct verdict){.missing = -1};
	if (!j->image.ninsns || simulate(j->policy, &j->image, r, &out, &missing, &why)) {
		v->status = missing >= 0 ? VERDICT_MISSING : VERDICT_FAILED;
		v->missing = missing;
		record_text(v->text, sizeof v->text, why);
		return;
	}
	v->allow = out.allow;
	v->reported = out.reported;
	v->rule = out.reported && out.event.rule <= j->policy->nrules ? out.event.rule : 0;
	v->error = out.reported && out.event.flags & EVENT_ERROR;
}

static bool answer(struct judge *j, const struct frame *f)
{
	size_t len = f->len - sizeof(struct about), n = len / sizeof(struct request_record);
	struct request_record *all = arena_alloc(j->in->arena, len);
	memcpy(all, f->data + sizeof(struct about), len);
	struct verdict_pair *out = arena_alloc(j->in->arena, n * sizeof *out);
	budget_stage(&j->in->budget, STAGE_ASK);
	for (size_t i = 0; i < n; i++) {
		struct request r = request_of(&all[i]);
		raw_settle(j->policy, &r);
		struct decision d = {0};
		int missing = -1, failed = policy_decide(j->policy, &j->diagram, &r, &d, &missing);
		verdict_of(&out[i].diagram, j->policy, &d, failed, missing);
		out[i].open = missing >= 0 ? policy_open(j->in->arena, j->policy, &j->diagram, &r).facts : 0;
		simulate_one(j, &r, &out[i].bpf);
	}
	inside_write(j->in, FRAME_VERDICTS, out, n * sizeof *out);
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static bool (*const handlers[FRAME_KINDS])(struct judge *j, const struct frame *f) = {
	[FRAME_REQUESTS] = answer,
	[FRAME_DUMP] = judge_tells,
	[FRAME_RULE] = judge_tells_rule,
	[FRAME_NAMES] = judge_tells_names,
	[FRAME_PLAIN] = plain,
	[FRAME_EXPLAIN] = judge_explains,
	[FRAME_CLAIMS] = judge_claims,
	[FRAME_COVER] = judge_covers,
	[FRAME_SHARE] = judge_shares,
	[FRAME_COMPARE] = judge_compares,
	[FRAME_VERIFY] = judge_verifies,
};

/* Whom a frame is about. */
static struct judge *asked(struct judge *j, const struct frame *f)
{
	struct about about = {0};
	if (f->kind == FRAME_REQUESTS || f->kind == FRAME_DUMP || f->kind == FRAME_EXPLAIN || f->kind == FRAME_RULE ||
	    f->kind == FRAME_NAMES)
		memcpy(&about, f->data, f->len < sizeof about ? f->len : sizeof about);
	struct judge *one = !about.part ? j : about.part <= j->nparts ? &j->parts[about.part - 1] : NULL;
	if (!one || (!one->policy && f->kind != FRAME_NAMES) || f->kind >= FRAME_KINDS || !handlers[f->kind])
		_exit(INSIDE_FAULT);
	return one;
}

/* A program of a tracing section has no verdicts. */
static bool can_answer(struct judge *j, const struct frame *f)
{
	return f->kind == FRAME_DUMP || f->kind == FRAME_NAMES || policy_decides(j->policy) ||
	       !diag_fail(&j->in->diags, NULL, "a program of section %s decides about no device", j->policy->raw->section_name);
}

/* What is needed for one frame only is given back after it: requests may have no end. */
static void serve(struct judge *j)
{
	struct inside *in = j->in;
	struct arena *kept = in->arena;
	for (;;) {
		struct frame f;
		in->arena = arena_new();
		if (!in->arena)
			arena_fail(kept);
		arena_catch(in->arena, &in->no_memory);
		arena_charge(in->arena, &in->budget);
		inside_read(in, &f);
		diags_init(&in->diags, in->arena);
		struct judge *one = asked(j, &f);
		bool failed = explained(in, one->file, !(can_answer(one, &f) && handlers[f.kind](one, &f)));
		inside_done(in, failed);
		arena_free(in->arena);
	}
}

void judge_work(struct inside *in, bool (*read_list)(struct judge *j, const struct order *o))
{
	struct judge j = {.in = in, .read_list = read_list};
	struct frame f;
	struct order o;
	inside_read(in, &f);
	order_read(in, &f, &o);
	j.file = o.file;
	bool lint = o.job.flags & JOB_LINT, made = take_in(&j, &o);
	if (made)
		made = o.job.flags & JOB_EACH ? report_each(&j) : judge_proves_claims(&j, lint) && report(&j, lint);
	inside_done(in, explained(in, o.file, !made));
	serve(&j);
}
