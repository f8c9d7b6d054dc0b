/*
 * mutants.c - what one step in one line of a policy would change.
 *
 * For each rule: where is it reached, and what would decide without it? From these two follows what
 * every mutant of its condition does (mutants_flip.c). They are made of the rule's devices only, and of
 * the later rules that share some of them, so that rules about single devices cost little.
 */
#include "policy/budget.h"
#include "policy/callers.h"
#include "policy/device.h"
#include "policy/mutants_internal.h"

#include <string.h>

/* ---- the policy ----------------------------------------------------------------------------- */

static term with_values(struct policy *p, term t)
{
	for (size_t i = 0; i < p->nparams; i++)
		t = term_substitute(p->terms, t, (enum input)(IN_PARAM_0 + i), p->params[i].value);
	return t;
}

/* A copy with its parameters as they are now, without what it reports. */
static void settle(struct arena *a, const struct policy *p, struct policy *out)
{
	*out = *p;
	out->audit = AUDIT_NONE;
	out->mode = MODE_ENFORCE;
	out->rules = arena_alloc(a, (p->nrules + 1) * sizeof *out->rules);
	for (size_t i = 0; i < p->nrules; i++) {
		struct rule *r = &out->rules[i];
		*r = p->rules[i];
		r->error = 0;
		r->match = with_values(out, r->match);
		r->raises = arena_alloc(a, (r->nraises + 1) * sizeof *r->raises);
		for (size_t k = 0; k < r->nraises; k++) {
			r->raises[k] = p->rules[i].raises[k];
			r->raises[k].when = with_values(out, r->raises[k].when);
		}
	}
}

/* ---- labels of outcomes -------------------------------------------------------------------- */

struct from { size_t rule; bool allow; };

static bool allows(outcome o)
{
	return OUTCOME_KIND(o) == OUT_ALLOW;
}

static outcome truth(bool is)
{
	return is ? OUT_ALLOW : OUT_PASS;
}

static outcome allowed(const void *arg, outcome o)
{
	(void)arg;
	return truth(allows(o));
}

/* It decides with the other verdict, or with the same: a rule behind this one, or the default. */
static outcome later_other(const void *arg, outcome o)
{
	const struct from *f = arg;
	bool later = OUTCOME_KIND(o) != OUT_PASS && (OUTCOME_RULE(o) == 0 || OUTCOME_RULE(o) > f->rule);
	return truth(later && allows(o) != f->allow);
}

static outcome later_same(const void *arg, outcome o)
{
	const struct from *f = arg;
	bool later = OUTCOME_KIND(o) != OUT_PASS && (OUTCOME_RULE(o) == 0 || OUTCOME_RULE(o) > f->rule);
	return truth(later && allows(o) == f->allow);
}

static outcome by_rule(const void *arg, outcome o)
{
	const struct from *f = arg;
	return truth(OUTCOME_KIND(o) != OUT_PASS && OUTCOME_RULE(o) == f->rule);
}

/* ---- what surrounds a rule ------------------------------------------------------------------ */

/* The devices of a rule, from the first to the last number. */
struct hull { struct interval majors, minors; };

static struct interval spread(struct interval x, const struct interval *list, size_t n)
{
	return (struct interval){list[0].lo < x.lo ? list[0].lo : x.lo, list[n - 1].hi > x.hi ? list[n - 1].hi : x.hi};
}

static struct hull hull_of(const struct rule *r)
{
	struct hull h = {{MAJOR_MAX, 0}, {MINOR_MAX, 0}};
	for (size_t i = 0; i < r->npatterns; i++) {
		h.majors = spread(h.majors, r->patterns[i].majors, r->patterns[i].nmajors);
		h.minors = spread(h.minors, r->patterns[i].minors, r->patterns[i].nminors);
	}
	return r->npatterns ? h : (struct hull){{0, MAJOR_MAX}, {0, MINOR_MAX}};
}

static bool hulls_meet(const struct hull *x, const struct hull *y)
{
	return x->majors.lo <= y->majors.hi && y->majors.lo <= x->majors.hi && x->minors.lo <= y->minors.hi &&
	       y->minors.lo <= x->minors.hi;
}

static node in_hull(struct mutating *g, const struct hull *h, int64_t around)
{
	int64_t major = h->majors.lo - around, minor = h->minors.lo - around;
	return both(g, input_within(g, IN_MAJOR, major < 0 ? 0 : major, h->majors.hi + around),
	            input_within(g, IN_MINOR, minor < 0 ? 0 : minor, h->minors.hi + around));
}

/* What the rules behind a rule, and the default, decide within `where`. */
static node decided_later(struct mutating *g, const struct hull *hulls, node where)
{
	const struct policy *p = &g->out->policy;
	node *parts = NULL;
	size_t n = 0, cap = 0;
	for (size_t k = g->rule; k < p->nrules && diagram_ok(g->dg); k++)
		if (hulls_meet(&hulls[g->rule - 1], &hulls[k]))
			*ARENA_PUSH(g->arena, parts, n, cap) = both(g, where, g->decide[k]);
	*ARENA_PUSH(g->arena, parts, n, cap) = both(g, where, diagram_terminal(p->default_allow ? OUT_ALLOW : OUT_DENY));
	return diagram_over_all(g->dg, parts, n);
}

/* ---- the mutants of a rule -------------------------------------------------------------------- */

/* The rule turned round. Patterns that deny match a request for nothing less often than those that
 * allow. `here`: where the rule decides; around: the attribution nearby. */
static void turn(struct mutating *g, const struct rule *r, node here, node around)
{
	struct policy *p = &g->out->policy;
	node match = g->match[g->rule - 1], turned = match, reached = both(g, match, here);
	struct rule other = *r;
	struct from f = {g->rule, !r->deny};
	other.deny = !r->deny;
	if (r->npatterns)
		turned = diagram_of_term(g->dg, rule_devices(p, &other));
	if (r->match != r->devices)
		turned = both(g, match, turned); /* what the block says of other requests is not known */
	node more = diagram_relabel(g->dg, both(g, without(g, turned, match), around), later_same, &f, false);
	node kept = both(g, reached, turned), less = both(g, without(g, reached, turned), g->toggles);
	mutant_keep(g, (struct mutant){.kind = MUTANT_VERDICT}, either(g, kept, either(g, less, more)));
}

static void mutate_rule(struct mutating *g, const struct hull *hulls)
{
	struct mutants *ms = g->out;
	const struct rule *r = &ms->policy.rules[g->rule - 1];
	struct from f = {g->rule, !r->deny}, raised = {g->rule, false};
	node match = g->match[g->rule - 1], around = both(g, in_hull(g, &hulls[g->rule - 1], 1), ms->pd.access);
	node here = diagram_relabel(g->dg, both(g, in_hull(g, &hulls[g->rule - 1], 0), around), by_rule, &f, false);
	node later = decided_later(g, hulls, here);
	node gone = diagram_relabel(g->dg, both(g, match, later), later_other, &f, false);
	node spared = r->nraises ? diagram_relabel(g->dg, without(g, later, match), later_other, &raised, false) : no();
	g->toggles = either(g, gone, diagram_relabel(g->dg, around, later_other, &f, false));
	g->first = ms->n;
	mutant_keep(g, (struct mutant){.kind = MUTANT_RULE}, either(g, gone, spared));
	turn(g, r, here, around);
	mutants_of_patterns(g, r);
	if (r->match != r->devices || !r->npatterns)
		mutants_of_term(g, r->match);
}

static void mutate_default(struct mutating *g)
{
	struct from f = {0, false};
	g->rule = 0;
	g->first = g->out->n;
	mutant_keep(g, (struct mutant){.kind = MUTANT_DEFAULT}, diagram_relabel(g->dg, g->out->pd.access, by_rule, &f, false));
}

/* ---- all of them ------------------------------------------------------------------------------- */

static input_set read_by_rules(const struct policy *p)
{
	input_set inputs = 0;
	for (size_t i = 0; i < p->nrules; i++) {
		inputs |= term_get(p->terms, p->rules[i].match)->inputs;
		for (size_t k = 0; k < p->rules[i].nraises; k++)
			inputs |= term_get(p->terms, p->rules[i].raises[k].when)->inputs;
	}
	return inputs & (INPUT(IN_PARAM_0) - INPUT(IN_UID));
}

/* What the kernel can ask, each access of it by itself. */
static node askable(struct mutating *g)
{
	const uint32_t open = 1u << ACC_READ | 1u << ACC_WRITE, any = open | 1u << ACC_MKNOD | 1u << 0;
	node all = both(g, input_within(g, IN_TYPE, DEV_BLOCK, DEV_CHAR), input_one_of(g, IN_ACCESS, any));
	all = both(g, all, both(g, input_within(g, IN_MAJOR, 0, MAJOR_MAX), input_within(g, IN_MINOR, 0, MINOR_MAX)));
	node alone = no(), together = both(g, input_within(g, IN_REQUESTED, 6, 6), input_one_of(g, IN_ACCESS, open));
	for (int access = 0; access <= ACC_WRITE; access = access ? access << 1 : ACC_MKNOD)
		alone = either(g, alone, both(g, input_within(g, IN_REQUESTED, access, access), input_within(g, IN_ACCESS, access, access)));
	if (g->out->sets)
		all = both(g, all, either(g, alone, together));
	return all;
}

/* The callers that there can be: their facts within their ranges, and such as go together. */
static node callers(struct mutating *g, input_set inputs)
{
	node all = callers_possible(g->dg, inputs);
	for (enum input in = IN_UID; in < IN_PARAM_0; in++) {
		int64_t lo, hi;
		input_range(in, &lo, &hi);
		if (inputs & INPUT(in) && hi < diagram_var_max(g->dg, in))
			all = both(g, all, input_within(g, in, lo, hi));
	}
	return all;
}

static void prepare(struct mutating *g, node *match, node *decide, struct hull *hulls)
{
	const struct policy *p = &g->out->policy;
	for (size_t i = 0; i < p->nrules && diagram_ok(g->dg); i++) {
		match[i] = diagram_of_term(g->dg, p->rules[i].match);
		decide[i] = rule_decides(g->dg, &p->rules[i], (uint32_t)i + 1);
		hulls[i] = hull_of(&p->rules[i]);
	}
	g->match = match;
	g->decide = decide;
}

/* The comparisons that are free variables, and the inputs that they read. */
static void survey_compared(struct arena *a, struct mutants *out)
{
	const struct diagrams *dg = out->pd.dg;
	for (node k = 0; k < diagram_nodes(dg); k++) {
		uint32_t var = node_switch(dg, k).var;
		if (var < INPUT_MAX)
			continue;
		out->compared |= diagram_var_inputs(dg, var);
		if (var - INPUT_MAX >= out->ncompared)
			out->ncompared = var - INPUT_MAX + 1;
	}
	out->many = arena_alloc(a, out->ncompared + 1);
}

static int too_many(const struct mutants *ms, struct diags *d, size_t rule)
{
	const struct policy *p = &ms->policy;
	bool one = rule && rule <= p->nrules;
	struct diag *said = diag_add(d, DIAG_ERROR, one ? p->rules[rule - 1].at : (struct span){.file = p->file},
	                             "split the policy, and test each part; without --coverage and --complete any policy can be tested",
	                             "there is too much to cover%s: more than %d boundaries, or conditions about too many things at once",
	                             one ? " up to this rule" : "", MUTANTS_MAX);
	if (one)
		said->source = p->rules[rule - 1].source;
	return -1;
}

int policy_mutants(struct arena *a, struct diags *d, const struct policy *p, struct mutants *out)
{
	*out = (struct mutants){0};
	settle(a, p, &out->policy);
	if (policy_diagram(&out->policy, d, ORDER_FACTS_LAST, &out->pd))
		return -1;
	budget_stage(arena_budget(p->arena), STAGE_COVER);
	size_t n = p->nrules + 1;
	struct mutating g = {.arena = a, .out = out, .dg = out->pd.dg};
	struct hull *hulls = arena_alloc(a, n * sizeof *hulls);
	out->inputs = diagram_inputs(a, g.dg, out->pd.access);
	out->sets = out->inputs & INPUT(IN_REQUESTED);
	out->allows = diagram_relabel(g.dg, out->pd.access, allowed, NULL, false);
	g.domain = askable(&g);
	out->possible = callers(&g, out->inputs | read_by_rules(&out->policy));
	prepare(&g, arena_alloc(a, n * sizeof(node)), arena_alloc(a, n * sizeof(node)), hulls);
	for (g.rule = 1; g.rule <= p->nrules && !g.too_many && diagram_ok(g.dg); g.rule++)
		mutate_rule(&g, hulls);
	size_t last = g.rule;
	if (!g.too_many && diagram_ok(g.dg))
		mutate_default(&g);
	survey_compared(a, out);
	return g.too_many || !diagram_ok(g.dg) ? too_many(out, d, last) : 0;
}

/* ---- requests ----------------------------------------------------------------------------------- */

static node asked(struct diagrams *dg, node n, int access, int set)
{
	return diagram_restrict(dg, diagram_restrict(dg, n, IN_ACCESS, access), IN_REQUESTED, set);
}

node mutant_request_diff(struct mutants *ms, const struct mutant *m, int set)
{
	struct diagrams *dg = ms->pd.dg;
	node before = diagram_terminal(OUT_ALLOW), after = before, none = diagram_terminal(OUT_PASS);
	if (!(set & (set - 1)))
		return asked(dg, m->diff, set, set);
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1) {
		if (!(set & bit))
			continue;
		node allows = asked(dg, ms->allows, bit, set), diff = asked(dg, m->diff, bit, set);
		node turned = diagram_ite(dg, diff, diagram_ite(dg, allows, none, diagram_terminal(OUT_ALLOW)), allows);
		before = diagram_ite(dg, before, allows, none);
		after = diagram_ite(dg, after, turned, none);
	}
	return diagram_ite(dg, before, diagram_ite(dg, after, none, diagram_terminal(OUT_ALLOW)), after);
}
