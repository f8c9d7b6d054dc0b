/*
 * work_compare.c - the judge of one policy is given another policy, and says what changes.
 *
 * A policy goes from judge to judge in the form of an object's section. Values of a program that are not
 * understood go as parameters whose names no policy can have: `?`, a number, a blank, what it is.
 */
#include "cmd/room/judge.h"

#include <unistd.h>
#include <string.h>

#include "policy/compare.h"

enum { UNKNOWN_MARK = '?' };

/* ---- for another ------------------------------------------------------------------------- */

/* The inputs behind the facts that its rules read, by the last one. */
static size_t params_read(const struct policy *p)
{
	uint32_t read = 0;
	for (size_t i = 0; i < p->nrules; i++) {
		read |= term_get(p->terms, p->rules[i].match)->inputs;
		for (size_t k = 0; k < p->rules[i].nraises; k++)
			read |= term_get(p->terms, p->rules[i].raises[k].when)->inputs;
	}
	read >>= IN_PARAM_0;
	return read ? 32 - (size_t)__builtin_clz(read) : 0;
}

/* The policy with all that it reads as parameters, and its bytes. */
static bool shared(struct judge *j, struct policy *out)
{
	struct arena *a = j->in->arena;
	*out = *j->policy;
	size_t n = params_read(out) > out->nparams ? params_read(out) : out->nparams;
	out->params = arena_alloc(a, (n + 1) * sizeof *out->params);
	if (out->nparams)
		memcpy(out->params, j->policy->params, out->nparams * sizeof *out->params);
	for (size_t i = out->nparams; i < n; i++) {
		enum input in = (enum input)(IN_PARAM_0 + i);
		const struct term_node *k = term_get(out->terms, term_input(out->terms, in));
		out->params[i] = (struct param){.name = arena_printf(a, "%c%zu %s", UNKNOWN_MARK, i, terms_input_name(out->terms, in)),
		                                .value = k->lo, .lo = k->lo, .hi = k->hi};
	}
	out->nparams = n;
	return !serial_keep(out, &j->in->diags);
}

bool judge_shares(struct judge *j, const struct frame *f)
{
	struct policy p;
	(void)f;
	if (!shared(j, &p))
		return false;
	inside_write(j->in, FRAME_POLICY, p.serial.data, p.serial.len);
	return true;
}

/* ---- of another ---------------------------------------------------------------------------- */

static bool read_other(struct judge *j, const void *data, size_t len, struct policy **out)
{
	struct diags said;
	uint64_t digest;
	diags_init(&said, j->in->arena);
	if (serial_read(j->in->arena, &said, "the other policy", data, len, out, &digest))
		return !diag_fail(&j->in->diags, "report it with both policies",
		                  "what the process that read the other policy returned is damaged");
	struct policy *p = *out;
	for (size_t i = 0, n = p->nparams; i < n; i++) {
		const struct param *pm = &p->params[i];
		const char *name = strchr(pm->name, ' ');
		if (*pm->name != UNKNOWN_MARK || !name)
			continue;
		terms_param(p->terms, (enum input)(IN_PARAM_0 + i), name + 1, pm->lo, pm->hi);
		p->nparams = i < p->nparams ? i : p->nparams;
	}
	return true;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static struct change_record record_of(const struct change *x, const struct policy *was, const struct policy *is)
{
	struct change_record r = {.least = x->least, .most = x->most, .found = x->found};
	const char *const texts[CHANGE_TEXTS] = {x->rules, x->hangs};
	for (int i = 0; i < CHANGE_TEXTS; i++)
		r.texts[i] = texts[i] ? (uint32_t)strlen(texts[i]) : NO_TEXT;
	if (!x->found)
		return r;
	const struct request *q = &x->witness;
	r.witness = (struct request_record){.type = q->type, .access = q->access, .major = q->major, .minor = q->minor,
	                                    .known = q->known};
	memcpy(r.witness.fact, q->fact, sizeof r.witness.fact);
	verdict_of(&r.was, was, &x->was, 0, -1);
	verdict_of(&r.is, is, &x->is, 0, -1);
	return r;
}

static void send(struct judge *j, const struct comparison *c, const struct policy *other)
{
	const struct change *each[] = {&c->allowed, &c->denied};
	struct change_record r[2];
	size_t n = sizeof r, at = n;
	for (int i = 0; i < 2; i++) {
		r[i] = record_of(each[i], j->policy, other);
		for (int k = 0; k < CHANGE_TEXTS; k++)
			n += r[i].texts[k] == NO_TEXT ? 0 : r[i].texts[k];
	}
	char *bytes = arena_alloc(j->in->arena, n + 1);
	memcpy(bytes, r, sizeof r);
	for (int i = 0; i < 2; i++) {
		const char *const texts[CHANGE_TEXTS] = {each[i]->rules, each[i]->hangs};
		for (int k = 0; k < CHANGE_TEXTS; k++)
			if (texts[k]) {
				memcpy(bytes + at, texts[k], r[i].texts[k]);
				at += r[i].texts[k];
			}
	}
	inside_write(j->in, FRAME_COMPARED, bytes, n);
}

/* One program is read twice, and its maps may have changed between: is the same not understood of it? */
static bool same_unknown(const struct policy *own, const struct policy *other)
{
	size_t n = own->nparams;
	bool same = n == other->params_cap;
	for (size_t i = 0; i < n && same; i++) {
		const struct param *x = &own->params[i], *y = &other->params[i];
		same = !strcmp(x->name, y->name) && x->lo == y->lo && x->hi == y->hi;
	}
	return same;
}

bool judge_compares(struct judge *j, const struct frame *f)
{
	struct diags *d = &j->in->diags;
	struct compare_head head;
	struct policy own, *other;
	struct policy_diagram diagram;
	struct comparison out;
	if (f->len < sizeof head)
		_exit(INSIDE_FAULT);
	memcpy(&head, f->data, sizeof head);
	const void *bytes = f->data + sizeof head;
	size_t len = f->len - sizeof head;
	budget_stage(&j->in->budget, STAGE_READ);
	if (!shared(j, &own) || !read_other(j, bytes, len, &other) || policy_diagram_any(other, d, &diagram))
		return false;
	bool same = head.same && same_unknown(&own, other);
	struct compared a = {j->policy, &j->diagram}, b = {other, &diagram};
	budget_stage(&j->in->budget, STAGE_ASK);
	if (policy_compare(j->in->arena, d, &a, &b, same, &out))
		return false;
	send(j, &out, other);
	return true;
}
