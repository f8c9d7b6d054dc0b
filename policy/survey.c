/*
 * survey.c - what a finished diagram says about its policy: the inputs it reads
 * and the rules that decide something. A rule without a reachable outcome is
 * dead; a request it would match, put to the policy, names the rule before it.
 *
 * Needs a diagram within its budget; linear in its edges, iterative.
 */
#include "policy/survey.h"
#include "policy/callers.h"
#include "policy/device.h"

#include <string.h>

static void note_decision(const struct policy *p, node n, struct survey *out)
{
	outcome o;
	if (node_is_terminal(n, &o) && OUTCOME_KIND(o) != OUT_PASS && OUTCOME_RULE(o) <= p->nrules)
		out->decides[OUTCOME_RULE(o)] = true;
}

/* The decisions about callers that there can be, in a set of their own where that makes a difference. */
static const struct diagrams *who_there_can_be(struct arena *a, const struct diagrams *dg, node *root)
{
	input_set inputs = diagram_inputs(a, dg, *root);
	node of = *root;
	if (!(inputs >> IN_EUID))
		return dg;
	struct diagrams *copy = diagrams_kept(a, dg, &of, 1);
	of = diagram_ite(copy, callers_possible(copy, inputs), of, diagram_terminal(OUT_PASS));
	if (!diagram_ok(copy))
		return dg;
	*root = of;
	return copy;
}

void survey_diagram(struct arena *a, const struct policy *p, const struct policy_diagram *pd,
                    struct survey *out)
{
	node decides = pd->attribution;
	const struct diagrams *dg = who_there_can_be(a, pd->dg, &decides);
	const bool *below = diagram_below(a, dg, &decides, 1);
	/* what the program reads: the verdict only */
	*out = (struct survey){.decides = arena_alloc(a, p->nrules + 1), .inputs = diagram_inputs(a, pd->dg, pd->verdict)};
	note_decision(p, decides, out);
	for (node k = 0; k < diagram_nodes(dg); k++) {
		struct switch_node sw = node_switch(dg, k);
		for (uint32_t i = 0; below[k] && i < sw.n; i++)
			note_decision(p, sw.edges[i].to, out);
	}
}

/* ---- lint ------------------------------------------------------------------------ */

enum { LINT_MAX = 50 }; /* dead rules explained; more are only counted */

/* Inputs for which the boolean diagram is true, by depth first search. The
 * search gives up after a bound (which also bounds the recursion): there is then no
 * example, and no harm. */
static bool find_true(const struct diagrams *dg, node n, int64_t *inputs, input_set *known,
                      unsigned *budget)
{
	outcome o;
	if (node_is_terminal(n, &o))
		return OUTCOME_KIND(o) == OUT_ALLOW;
	if (!*budget)
		return false;
	--*budget;
	struct switch_node sw = node_switch(dg, n);
	for (uint32_t i = 0; i < sw.n; i++) {
		if (!find_true(dg, sw.edges[i].to, inputs, known, budget))
			continue;
		if (sw.var < INPUT_MAX) {
			inputs[sw.var] = sw.edges[i].hi;
			*known |= INPUT(sw.var);
		}
		return true;
	}
	return false;
}

/* A request of this one access that matches the rule's own condition. */
static bool witness(const struct policy *p, struct policy_diagram *pd, const struct rule *r,
                    int access, struct request *out)
{
	int64_t inputs[INPUT_MAX] = {[IN_TYPE] = DEV_CHAR};
	input_set known = 0;
	unsigned budget = 10000;
	node n = diagram_restrict(pd->dg, callers_only(p->arena, pd->dg, diagram_of_term(pd->dg, r->match)), IN_ACCESS, access);
	if (!diagram_ok(pd->dg) || !find_true(pd->dg, n, inputs, &known, &budget))
		return false;
	inputs[IN_REQUESTED] = inputs[IN_ACCESS] = access;
	if (!term_eval(p->terms, r->match, inputs))
		return false;
	*out = (struct request){.type = (int)inputs[IN_TYPE],
	                        .access = access,
	                        .major = inputs[IN_MAJOR],
	                        .minor = inputs[IN_MINOR],
	                        .known = ~(input_set)0};
	memcpy(out->fact, inputs, sizeof inputs);
	return true;
}

/* "c 1:3 r is decided by line 7 before", or NULL when no example was found. */
static const char *example(struct diags *d, const struct policy *p, struct policy_diagram *pd,
                           const struct rule *r)
{
	static const int accesses[] = {ACC_READ, ACC_WRITE, ACC_MKNOD, 0};
	for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++) {
		struct request q;
		struct decision by;
		int missing;
		char letters[4];
		if (!witness(p, pd, r, accesses[i], &q) ||
		    policy_decide(p, pd, &q, &by, &missing) || !by.rule || by.rule >= r)
			continue;
		return arena_printf(d->arena, "for example %s %lld:%lld %s is decided by line %d before",
		                    q.type == DEV_BLOCK ? "b" : "c", (long long)q.major,
		                    (long long)q.minor, access_text(q.access, letters),
		                    by.rule->at.line);
	}
	return NULL;
}

/* Is the boolean term true of no request at all? A free variable in it leaves
 * that open: then false. */
static bool impossible(const struct policy *p, struct policy_diagram *pd, term t)
{
	outcome o;
	node n = callers_only(p->arena, pd->dg, diagram_of_term(pd->dg, t));
	return diagram_ok(pd->dg) && node_is_terminal(n, &o) && OUTCOME_KIND(o) != OUT_ALLOW;
}

/* The term that a rule decides: it matches, or its block raises. */
static term reach(const struct policy *p, const struct rule *r)
{
	term any = r->match;
	for (size_t i = 0; i < r->nraises; i++)
		any = term_or(p->terms, any, r->raises[i].when);
	return any;
}

/* The first rule before r that alone decides all that r would, or NULL. */
static const struct rule *shadow(const struct policy *p, struct policy_diagram *pd, const struct rule *r)
{
	enum { ASKED_MAX = 200 };
	const struct rule *first = r - p->rules > ASKED_MAX ? r - ASKED_MAX : p->rules;
	for (const struct rule *e = first; e < r; e++)
		if (impossible(p, pd, term_and(p->terms, reach(p, r), term_not(p->terms, reach(p, e)))))
			return e;
	return NULL;
}

static void explain_dead(struct diags *d, const struct policy *p, struct policy_diagram *pd,
                         const struct rule *r)
{
	const struct rule *by;
	const char *hint;
	if (impossible(p, pd, reach(p, r))) {
		diag_add(d, DIAG_WARNING, r->at, "remove it, or correct its condition",
		         "this rule never matches");
		return;
	}
	if ((by = shadow(p, pd, r)))
		hint = arena_printf(d->arena,
		                    "line %d before decides every request it matches: remove it, or move it up",
		                    by->at.line);
	else if (!(hint = example(d, p, pd, r)))
		hint = "no request is known that it matches and no rule before it decides: remove it, or "
		       "correct its condition";
	diag_add(d, DIAG_WARNING, r->at, hint, "this rule never decides");
}

/* Nothing of it is here, and it was told. */
static bool left_out(const struct rule *r)
{
	for (size_t i = 0; i < r->npatterns; i++)
		if (r->patterns[i].types)
			return false;
	return r->npatterns;
}

void lint_rules(struct diags *d, const struct policy *p, struct policy_diagram *pd,
                const struct survey *s)
{
	size_t dead = 0;
	for (size_t i = 0; i < p->nrules; i++)
		if (!s->decides[i + 1] && !left_out(&p->rules[i]) && dead++ < LINT_MAX)
			explain_dead(d, p, pd, &p->rules[i]);
	if (dead > LINT_MAX)
		diag_add(d, DIAG_WARNING, (struct span){.file = p->file},
		         "remove the rules that earlier ones make superfluous",
		         "%zu more rules never decide", dead - LINT_MAX);
}

static void lint_left_out_of(struct diags *d, const struct rule *r)
{
	for (const struct pattern *one = r->patterns; one < r->patterns + r->npatterns; one++)
		if (!one->types)
			diag_add(d, DIAG_WARNING, r->at, "compile the policy again where it is there",
			         "%s is left out: it was not there when this was compiled", one->text);
}

void lint_left_out(struct diags *d, const struct policy *p)
{
	for (size_t i = 0; i < p->nrules; i++)
		lint_left_out_of(d, &p->rules[i]);
	for (size_t i = 0; i < p->nclaims; i++)
		lint_left_out_of(d, &p->claims[i].what);
}
