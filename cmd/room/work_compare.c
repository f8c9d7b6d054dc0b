/*
 * work_compare.c - the judge of one policy is given another policy, and says what changes.
 *
 * A policy goes from judge to judge in the form of an object's section. Values of a program that are not
 * understood go as parameters (policy/params.h).
 */
#include "cmd/room/judge.h"

#include <unistd.h>
#include <string.h>

#include "policy/compare.h"
#include "policy/params.h"

bool judge_shares(struct judge *j, const struct frame *f)
{
	struct policy *p = policy_with_marks(j->in->arena, j->policy);
	(void)f;
	if (serial_keep(p, &j->in->diags))
		return false;
	inside_write(j->in, FRAME_POLICY, p->serial.data, p->serial.len);
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
	policy_without_marks(*out);
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
	r.witness = request_record(&x->witness);
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

bool judge_compares(struct judge *j, const struct frame *f)
{
	struct diags *d = &j->in->diags;
	struct compare_head head;
	struct policy *other;
	struct policy_diagram diagram;
	struct comparison out;
	if (f->len < sizeof head)
		_exit(INSIDE_FAULT);
	memcpy(&head, f->data, sizeof head);
	const void *bytes = f->data + sizeof head;
	size_t len = f->len - sizeof head;
	budget_stage(&j->in->budget, STAGE_READ);
	if (!read_other(j, bytes, len, &other) || policy_diagram_any(other, d, &diagram))
		return false;
	/* one program is read twice, and its maps may have changed between */
	bool same = head.same && policy_same_marks(policy_with_marks(j->in->arena, j->policy), other);
	struct compared a = {j->policy, &j->diagram}, b = {other, &diagram};
	budget_stage(&j->in->budget, STAGE_ASK);
	if (policy_compare(j->in->arena, d, &a, &b, same, &out))
		return false;
	send(j, &out, other);
	return true;
}
