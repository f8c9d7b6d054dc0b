/*
 * work_ruby.c - the child that runs a policy: Ruby to terms.
 *
 * One job, then nothing: the policy goes, as an object keeps it, to another child that
 * never held an interpreter; the requests that came with the job are put to mruby itself.
 */
#include "cmd/room/inside.h"
#include "policy/raw.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A listing as one frame; write: what prints it. */
static void send_text(struct inside *in, void (*write)(FILE *out, struct ruby *rb))
{
	struct arena_stream s;
	write(arena_stream(in->arena, &s), in->ruby);
	const char *text = arena_text(in->arena, &s);
	inside_write(in, FRAME_TEXT, text, s.len);
}

static bool has_rules(struct inside *in, const struct policy *p)
{
	if (p->nrules || p->raw || p->default_at.line > 0)
		return true;
	diag_add(&in->diags, DIAG_ERROR, (struct span){.file = p->file},
	         p->nclaims ? "claims of a file of their own are put to a policy: check --claims FILE POLICY"
	                    : "to deny every device on purpose, write: default :deny",
	         p->nclaims ? "policy has claims and no rules" : "policy has no rules");
	return false;
}

static bool not_a_claim(struct inside *in, struct span at, const char *source, const char *text)
{
	diag_add(&in->diags, DIAG_ERROR, at, "write it into the policy: a file of claims says never and always, and nothing else",
	         "%s", text)->source = source;
	return false;
}

/* A file of claims: what else it said would not count. */
static bool only_claims(struct inside *in, const struct policy *p)
{
	struct span file = {.file = p->file};
	if (p->nrules)
		return not_a_claim(in, p->rules[0].at, p->rules[0].source, "a rule in a file of claims");
	if (p->default_at.line > 0)
		return not_a_claim(in, p->default_at, NULL, "a default in a file of claims");
	if (p->mode != MODE_ENFORCE || p->audit_given || p->grants)
		return not_a_claim(in, file, NULL, "mode, grants or audit in a file of claims");
	if (p->nparams)
		return not_a_claim(in, file, NULL, "a parameter with a range in a file of claims");
	if (!p->nclaims)
		diag_add(&in->diags, DIAG_ERROR, file, "for example: never \"b *:*\", label: \"no raw disks\"", "the file has no claims");
	return p->nclaims;
}

static bool compile(struct inside *in, const struct order *o, struct policy **policy)
{
	struct policy *p;
	if (ruby_compile(in->arena, &in->diags, &in->host, o->file, o->text, o->len, o->params,
	                 o->job.nparams, &in->ruby, &p))
		return false;
	if (o->job.flags & JOB_CLAIMS ? !only_claims(in, p) : !has_rules(in, p))
		return false;
	policy_override(p, &in->diags, o->job.mode, o->job.audit);
	*policy = p;
	budget_stage(&in->budget, STAGE_WRITE);
	return !serial_keep(p, &in->diags);
}

static void answer(struct inside *in, const struct order *o, const struct policy *p)
{
	budget_stage(&in->budget, STAGE_ASK);
	for (size_t i = 0; i < o->job.nrequests; i++) {
		struct request r = request_of(&o->requests[i]);
		raw_settle(p, &r);
		struct decision d = {0};
		struct verdict v;
		int missing = -1, failed = ruby_decide(in->ruby, p, &r, &d, &missing);
		verdict_of(&v, p, &d, failed, missing);
		inside_write(in, FRAME_VERDICTS, &v, sizeof v);
		frames_flush(STDOUT_FILENO); /* the parent's clock starts anew */
	}
}

static int running_line(const struct inside *in, unsigned *file)
{
	return in->ruby ? ruby_running_line(in->ruby, file) : 0;
}

void work_ruby(struct inside *in)
{
	struct frame f;
	struct order o;
	struct policy *p;
	in->running_line = running_line;
	inside_read(in, &f);
	order_read(in, &f, &o);
	bool made = compile(in, &o, &p);
	if (made) {
		inside_write(in, FRAME_POLICY, p->serial.data, p->serial.len);
		if (o.job.flags & JOB_BYTECODE)
			send_text(in, ruby_dump);
		answer(in, &o, p);
	}
	inside_done(in, explained(in, o.file, !made));
}
