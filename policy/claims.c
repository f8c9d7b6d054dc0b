/*
 * claims.c - `never` and `always`, proven against the verdict diagram.
 *
 * A claim matches single accesses. never: a request with such an access among those it asks for is denied.
 * always: a request that asks for such accesses only is allowed. A request without any access is not spoken
 * of. For each set of accesses the requests that break the claim are a diagram; it must be false. Where it is
 * not, a request is looked for (find.c), and checked by evaluating the policy and the claim.
 *
 * What is not understood (values behind the parameters) makes a claim false only where it is false whatever
 * they are.
 */
#include "policy/claims.h"
#include "policy/arena.h"
#include "policy/budget.h"
#include "policy/callers.h"
#include "policy/find.h"
#include "policy/params.h"

#include <string.h>

enum { SCRATCH_MAX = 64 << 20 };

/* A claim under proof. */
struct proof {
	struct arena *arena;
	struct policy *policy;
	const struct claim *claim;
	struct diagrams *dg;
	node allowed[ACC_ALL + 1]; /* the verdict, by the set of accesses asked for */
	input_set unknown; /* set of inputs that are not understood */
	int64_t values[INPUT_MAX]; /* of the parameters, as they are */
	bool unsure;      /* a set of accesses was left open */
	input_set hangs_on;
	long effort;      /* left for looking */
};

static node both_true(struct diagrams *dg, node x, node y)
{
	return diagram_ite(dg, x, y, diagram_terminal(OUT_PASS));
}

/* Does the claim match an access of a request for this set? */
static node matches(const struct proof *f, int access, int set)
{
	struct terms *ts = f->policy->terms;
	term t = term_substitute(ts, f->claim->what.match, IN_ACCESS, access);
	return diagram_of_term(f->dg, term_substitute(ts, t, IN_REQUESTED, set));
}

/* The requests for a set of accesses that the claim is about. */
static node about(const struct proof *f, int set)
{
	bool always = f->claim->always;
	node all = diagram_terminal(always ? OUT_ALLOW : OUT_PASS);
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1) {
		if (!(set & bit))
			continue;
		node one = matches(f, bit, set);
		all = always ? both_true(f->dg, one, all) : diagram_ite(f->dg, one, diagram_terminal(OUT_ALLOW), all);
	}
	return diagram_restrict(f->dg, requests_within(f->dg, all, diagram_terminal(OUT_PASS)), IN_REQUESTED, set);
}

/* Those of them that the policy decides otherwise than claimed. */
static node broken(const struct proof *f, node about_these, int set)
{
	const node yes = diagram_terminal(OUT_ALLOW), no = diagram_terminal(OUT_PASS);
	bool always = f->claim->always;
	return both_true(f->dg, about_these, diagram_ite(f->dg, f->allowed[set], always ? no : yes, always ? yes : no));
}

/* ---- the answer ------------------------------------------------------------------------------- */

/* Is it a counterexample, by evaluation? What decides it is noted. */
static bool confirmed(const struct proof *f, const struct policy_diagram *pd, int set, struct claim_answer *out)
{
	struct policy *p = f->policy, with = *p;
	struct request r = {.type = (int)out->inputs[IN_TYPE], .access = set, .major = out->inputs[IN_MAJOR],
	                    .minor = out->inputs[IN_MINOR], .known = ~(input_set)0};
	int64_t at[INPUT_MAX];
	int missing, hits = 0, accesses = 0;
	memcpy(r.fact, out->inputs, sizeof r.fact);
	memcpy(at, out->inputs, sizeof at);
	with.params = arena_alloc(f->arena, p->nparams * sizeof *with.params);
	for (size_t i = 0; i < p->nparams; i++) {
		with.params[i] = p->params[i];
		with.params[i].value = out->inputs[IN_PARAM_0 + i];
	}
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1) {
		at[IN_ACCESS] = bit;
		at[IN_REQUESTED] = set;
		accesses += (set & bit) != 0;
		hits += set & bit && term_eval(p->terms, f->claim->what.match, at);
	}
	if (policy_decide(&with, pd, &r, &out->by, &missing))
		return false;
	return f->claim->always ? hits == accesses && !out->by.allow : hits && out->by.allow;
}

/* Looks for a counterexample among the requests for one set of accesses. True: there is one. */
static bool look(struct proof *f, const struct policy_diagram *pd, node bad, int set, struct claim_answer *out)
{
	enum found found = diagram_ok(f->dg) ? find_true(f->arena, f->dg, f->policy->terms, bad, f->values, &f->effort, out->inputs, &out->asked)
	                                     : FOUND_UNSURE;
	out->inputs[IN_REQUESTED] = set;
	if (found == FOUND_ONE && confirmed(f, pd, set, out))
		return true;
	f->unsure |= found != FOUND_NONE;
	return false;
}

/* All sets of accesses, those of one access first. */
static void prove(struct proof *f, const struct policy_diagram *pd, struct claim_answer *out)
{
	static const int sets[] = {ACC_READ, ACC_WRITE, ACC_MKNOD, ACC_READ | ACC_WRITE, ACC_READ | ACC_MKNOD,
	                           ACC_WRITE | ACC_MKNOD, ACC_ALL};
	const node no = diagram_terminal(OUT_PASS);
	node open = no;
	out->about_nothing = true;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		node these = callers_only(f->arena, f->dg, about(f, sets[i]));
		node bad = callers_only(f->arena, f->dg, broken(f, these, sets[i])), sure = diagram_without(f->dg, bad, f->unknown, true);
		out->about_nothing &= these == no && diagram_ok(f->dg);
		if (bad == no && diagram_ok(f->dg))
			continue;
		if (look(f, pd, sure, sets[i], out)) {
			out->state = CLAIM_FALSE;
			return;
		}
		if (!diagram_ok(f->dg)) {
			out->state = CLAIM_UNPROVEN;
			out->on = "too many conditions at once";
			return;
		}
		f->hangs_on |= diagram_inputs(f->arena, f->dg, bad) & f->unknown;
		open = f->unsure && open == no ? bad : open;
	}
	out->state = f->hangs_on ? CLAIM_UNKNOWN : f->unsure ? CLAIM_UNPROVEN : CLAIM_HOLDS;
	out->on = f->hangs_on ? inputs_text(f->arena, f->policy->terms, f->hangs_on)
	          : f->unsure ? comparisons_asked(f->arena, f->dg, f->policy->terms, open)
	                      : NULL;
}

/* A set of diagrams of their own: those of the policy stay as they are. */
static void begin(struct proof *f, struct arena *scratch, const struct policy_diagram *pd)
{
	node verdict = pd->verdict;
	f->arena = scratch;
	f->dg = diagrams_kept(scratch, pd->dg, &verdict, 1);
	diagrams_allow(f->dg, DIAGRAM_BUDGET);
	for (int set = 1; set <= ACC_ALL; set++)
		f->allowed[set] = diagram_restrict(f->dg, verdict, IN_REQUESTED, set);
}

void claims_prove(struct arena *a, struct policy *p, const struct policy_diagram *pd, const struct claim *list, size_t n,
                  struct claim_answer *out)
{
	struct budget *spent = arena_budget(a);
	struct arena *scratch = NULL;
	struct proof f = {.policy = p, .unknown = unknown_inputs(p->nparams)};
	for (size_t i = 0; i < p->nparams; i++)
		f.values[IN_PARAM_0 + i] = p->params[i].value;
	budget_stage(spent, STAGE_CLAIMS);
	for (size_t i = 0; i < n; i++) {
		if (!scratch || !diagram_ok(f.dg) || arena_size(scratch) > SCRATCH_MAX) {
			arena_free(scratch);
			begin(&f, scratch = arena_scratch(a), pd);
		}
		budget_line(spent, list[i].what.at.line);
		f.claim = &list[i];
		f.unsure = false;
		f.hangs_on = 0;
		f.effort = FIND_EFFORT;
		out[i] = (struct claim_answer){0};
		prove(&f, pd, &out[i]);
		if (out[i].on)
			out[i].on = arena_strdup(a, out[i].on);
	}
	budget_line(spent, 0);
	arena_free(scratch);
}
