/* claims_text.c - what was found out about a claim, for people. */
#include "policy/claims.h"
#include "policy/arena.h"
#include "policy/callers.h"
#include "policy/device.h"
#include "policy/known.h"
#include "policy/request.h"

#include <string.h>

const char *claim_request(struct arena *a, const struct policy *p, const struct claim_answer *answer)
{
	const int64_t *in = answer->inputs;
	struct request r = {.type = (int)in[IN_TYPE], .access = (int)in[IN_REQUESTED], .major = in[IN_MAJOR], .minor = in[IN_MINOR],
	                    .known = answer->asked};
	memcpy(r.fact, in, sizeof r.fact);
	caller_words(policy_asks(p), &r);
	return request_words(a, &r);
}

const char *claim_params(struct arena *a, const struct policy *p, const struct claim_answer *answer)
{
	const char *text = "";
	for (size_t i = 0; i < p->nparams; i++)
		if (answer->asked & INPUT(IN_PARAM_0 + i))
			text = arena_printf(a, "%s%s%s=%lld", text, *text ? " " : "", p->params[i].name,
			                    (long long)answer->inputs[IN_PARAM_0 + i]);
	return text;
}

const char *claim_device(struct arena *a, const struct claim_answer *answer)
{
	const int64_t *in = answer->inputs;
	return known_name_of(a, in[IN_TYPE] == DEV_BLOCK ? 'b' : 'c', in[IN_MAJOR], in[IN_MINOR]);
}

/* "line 7" of the claim's own file, "x.rb:7" of another; a rule that a list's tool adds has no line. */
static const char *place(struct arena *a, const struct claim *c, const struct span *at)
{
	const char *file = at->file ? at->file : "", *own = c->what.at.file ? c->what.at.file : "";
	if (at->line <= 0)
		return file;
	return strcmp(file, own) ? arena_printf(a, "%s:%d", file, at->line) : arena_printf(a, "line %d", at->line);
}

static const char *decider(struct arena *a, const struct policy *p, const struct claim *c, const struct decision *by)
{
	const struct rule *r = by->rule;
	if (!r)
		return p->default_at.line > 0 ? arena_printf(a, "by the default (%s)", place(a, c, &p->default_at)) : "by the default";
	const char *text = arena_printf(a, "by %s", place(a, c, &r->at));
	const char *source = c->what.at.file && r->at.file && strcmp(c->what.at.file, r->at.file) ? r->source : NULL;
	if (r->label || source)
		text = arena_printf(a, "%s (%s)", text, r->label ? r->label : source + strspn(source, " \t"));
	return by->error ? arena_printf(a, "%s, whose block raises", text) : text;
}

static const char *remedy(struct arena *a, const struct claim *c, const struct claim_answer *answer)
{
	const char *verb = c->always ? "allow" : "deny";
	if (!answer->by.rule)
		return arena_printf(a, "%s it by a rule, or narrow the claim", verb);
	return arena_printf(a, "%s it above %s, or narrow that rule or the claim", verb, place(a, c, &answer->by.rule->at));
}

static void tell_counterexample(struct diags *d, const struct policy *p, const struct claim *c, const struct claim_answer *answer,
                                const char *which)
{
	struct arena *a = d->arena;
	const char *device = claim_device(a, answer), *params = claim_params(a, p, answer);
	diag_add(d, DIAG_ERROR, c->what.at, remedy(a, c, answer), "%s is false: %s%s%s is %s %s%s%s", which, claim_request(a, p, answer),
	         device ? ", /dev/" : "", device ? arena_printf(a, "%s,", device) : "", c->always ? "denied" : "allowed",
	         decider(a, p, c, &answer->by), *params ? ", with " : "", params)->source = c->what.source;
}

void claim_tell(struct diags *d, const struct policy *p, const struct claim *c, const struct claim_answer *answer)
{
	const char *which = c->what.label ? arena_printf(d->arena, "the claim \"%s\"", c->what.label) : "this claim";
	switch (answer->state) {
	case CLAIM_FALSE:
		tell_counterexample(d, p, c, answer, which);
		return;
	case CLAIM_UNKNOWN:
		diag_add(d, DIAG_ERROR, c->what.at, "eval says which requests hang on it",
		         "cannot tell whether %s holds: it hangs on what is not understood of %s: %s", which, p->file, answer->on)
			->source = c->what.source;
		return;
	case CLAIM_UNPROVEN:
		diag_add(d, DIAG_ERROR, c->what.at, "compare inputs with constants instead of with each other, in the rules or in the claim",
		         "%s cannot be proven: it hangs on %s", which, answer->on)->source = c->what.source;
		return;
	case CLAIM_HOLDS:
	case CLAIM_STATES:
		return;
	}
}

/* Nothing of it is here, and it was told. */
static bool left_out(const struct rule *r)
{
	for (size_t i = 0; i < r->npatterns; i++)
		if (r->patterns[i].types)
			return false;
	return r->npatterns;
}

void lint_claims(struct diags *d, const struct claim *list, size_t n, const struct claim_answer *answers)
{
	for (size_t i = 0; i < n; i++) {
		const struct rule *r = &list[i].what;
		if (answers[i].about_nothing && !left_out(r))
			diag_add(d, DIAG_WARNING, r->at, "remove it, or correct its condition", "this claim is about no request");
		if (answers[i].about_nothing)
			continue;
		for (size_t k = 0; k < i; k++)
			if (list[k].always == list[i].always && list[k].what.match == r->match) {
				diag_add(d, DIAG_WARNING, r->at, "remove one of them", "line %d claims the same", list[k].what.at.line);
				break;
			}
	}
}
