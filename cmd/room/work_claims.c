/*
 * work_claims.c - claims, proven by the child that never held an interpreter.
 */
#include "cmd/room/judge.h"

#include <string.h>

#include "policy/claims.h"
#include "policy/transfer.h"

static void tell(struct judge *j, const struct claim *c, const struct claim_answer *answer)
{
	struct arena *a = j->in->arena;
	const struct rule *by = answer->by.rule;
	struct span place = by ? by->at : j->policy->default_at;
	struct claim_told told = {.state = answer->state, .always = c->always, .line = c->what.at.line};
	record_text(told.file, TOLD_TEXT, c->what.at.file);
	record_text(told.label, TOLD_TEXT, c->what.label);
	record_text(told.on, TOLD_TEXT, answer->on);
	if (answer->state == CLAIM_FALSE) {
		const char *device = claim_device(a, answer);
		record_text(told.request, TOLD_TEXT, claim_request(a, j->policy, answer));
		record_text(told.params, TOLD_TEXT, claim_params(a, j->policy, answer));
		record_text(told.device, TOLD_TEXT, device ? arena_printf(a, "/dev/%s", device) : NULL);
		told.by_default = !by;
		told.by_line = place.line > 0 ? place.line : 0;
		record_text(told.by_file, TOLD_TEXT, told.by_line ? place.file : NULL);
		record_text(told.by_label, TOLD_TEXT, by ? by->label : NULL);
	}
	inside_write(j->in, FRAME_CLAIM, &told, sizeof told);
}

/* Which of its answers is the worst. */
static enum claim_state prove(struct judge *j, const struct claim *list, size_t n, bool lint)
{
	struct diags *d = &j->in->diags;
	struct claim_answer *answers = arena_alloc(j->in->arena, n * sizeof *answers);
	bool open = false, wrong = false;
	claims_prove(j->in->arena, j->policy, &j->diagram, list, n, answers);
	for (size_t i = 0; i < n; i++) {
		claim_tell(d, j->policy, &list[i], &answers[i]);
		tell(j, &list[i], &answers[i]);
		open |= answers[i].state == CLAIM_UNKNOWN;
		wrong |= answers[i].state == CLAIM_FALSE || answers[i].state == CLAIM_UNPROVEN;
	}
	if (lint)
		lint_claims(d, list, n, answers);
	return wrong ? CLAIM_FALSE : open ? CLAIM_UNKNOWN : CLAIM_HOLDS;
}

bool judge_proves_claims(struct judge *j, bool lint)
{
	return !j->policy->nclaims || prove(j, j->policy->claims, j->policy->nclaims, lint) == CLAIM_HOLDS;
}

bool judge_claims(struct judge *j, const struct frame *f)
{
	struct policy *file, *p = j->policy;
	term inputs[INPUT_MAX];
	const char *why;
	uint64_t digest;
	if (serial_read(j->in->arena, &j->in->diags, "the file of claims", f->data, f->len, &file, &digest))
		return false;
	if (!file->nclaims || file->nrules || file->nparams)
		return !diag_fail(&j->in->diags, NULL, "what the process that ran the file of claims returned is damaged");
	if (terms_joined(p->terms, file->terms, ~(input_set)0, inputs, &why))
		return !diag_fail(&j->in->diags, "put some of the claims into a file of their own", "%s and the claims %s", p->file, why);
	for (size_t i = 0; i < file->nclaims; i++)
		file->claims[i].what.match = term_brought(p->terms, file->terms, file->claims[i].what.match, inputs);
	return prove(j, file->claims, file->nclaims, true) != CLAIM_FALSE;
}
