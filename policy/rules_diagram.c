/*
 * rules_diagram.c - a policy as a function of a whole request.
 *
 * Each rule becomes a partial diagram over one access; overlaid in order, the
 * first that matches decides (D). A request for a set of accesses is allowed
 * when D allows each of them (P), asked in the order mknod, read, write.
 */
#include "policy/diagram_internal.h"
#include "policy/rules.h"

node rule_decides(struct diagrams *dg, const struct rule *r, uint32_t number)
{
	outcome verdict = OUTCOME(r->deny ? OUT_DENY : OUT_ALLOW, number);
	node n = diagram_ite(dg, diagram_of_term(dg, r->match), diagram_terminal(verdict), NODE_FALSE);
	node error = diagram_terminal(OUTCOME(OUT_ERROR, number));
	if (!r->nraises)
		return n;
	node *parts = arena_alloc(dg->arena, (r->nraises + 1) * sizeof *parts);
	for (size_t i = 0; i < r->nraises; i++)
		parts[i] = diagram_ite(dg, diagram_of_term(dg, r->raises[i].when), error, NODE_FALSE);
	parts[r->nraises] = n;
	return diagram_over_all(dg, parts, r->nraises + 1);
}

/* ---- all rules --------------------------------------------------------------------- */

enum { SMALL_BUDGET = 64 << 10, COLLECT = 32 << 20 };

/* Diagrams under construction, of many rules each. Overlay is associative: two of
 * as many rules become one, so that operands stay small and only a few are alive. */
struct builder {
	struct policy *policy;
	struct diagrams *dg;
	struct arena *arena; /* of dg */
	size_t limit;        /* bytes at which dead nodes are left behind */
	node part[64];
	unsigned rank[64];
	size_t n;
	size_t rule;         /* the one being added; the number of rules: all are */
};

/* Moves to a new set with what is alive: the parts. */
static void collect(struct builder *b)
{
	if (!diagram_ok(b->dg))
		return;
	struct arena *fresh = arena_scratch(b->policy->arena);
	b->dg = diagrams_kept(fresh, b->dg, b->part, b->n);
	arena_free(b->arena);
	b->arena = fresh;
	b->limit = 3 * arena_size(fresh) + COLLECT;
}

static void collect_at_limit(struct builder *b)
{
	if (arena_size(b->arena) >= b->limit)
		collect(b);
}

static void join_top(struct builder *b)
{
	b->n--;
	b->part[b->n - 1] = diagram_over(b->dg, b->part[b->n - 1], b->part[b->n]);
	b->rank[b->n - 1]++;
}

static void add_part(struct builder *b, node part)
{
	b->part[b->n] = part;
	b->rank[b->n++] = 0;
	while (b->n > 1 && b->rank[b->n - 1] == b->rank[b->n - 2] && diagram_ok(b->dg)) {
		join_top(b);
		collect_at_limit(b);
	}
}

/* D: one access, all rules and the default; the only part in the end. */
static void access_diagram(struct builder *b)
{
	const struct policy *p = b->policy;
	struct budget *spent = arena_budget(p->arena);
	budget_stage(spent, STAGE_DIAGRAM);
	for (b->rule = 0; b->rule < p->nrules; b->rule++) {
		budget_line(spent, p->rules[b->rule].at.line);
		add_part(b, rule_decides(b->dg, &p->rules[b->rule], (uint32_t)b->rule + 1));
		if (!diagram_ok(b->dg))
			return;
		collect_at_limit(b);
	}
	budget_line(spent, 0);
	b->part[b->n++] = diagram_terminal(OUTCOME(p->default_allow ? OUT_ALLOW : OUT_DENY, 0));
	while (b->n > 1) {
		join_top(b);
		collect_at_limit(b);
	}
	collect(b);
}

/* D asked about every access of one set; d: D by access. */
static node set_diagram(struct diagrams *dg, const node *d, int set)
{
	node all = NODE_FALSE;
	if (!set)
		return diagram_restrict(dg, d[0], IN_REQUESTED, set);
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1) {
		if (!(set & bit))
			continue;
		node one = diagram_restrict(dg, d[bit], IN_REQUESTED, set);
		all = all == NODE_FALSE ? one : diagram_first_deny(dg, all, one);
	}
	return all;
}

/* var in [lo, hi] ? n : outside */
static node within(struct diagrams *dg, uint32_t var, int64_t lo, int64_t hi, node n, node outside)
{
	struct edge e[] = {{lo - 1, NODE_FALSE}, {hi, NODE_TRUE}, {diagram_var_max(dg, var), NODE_FALSE}};
	node in = diagram_switch(dg, var, lo > 0 ? e : e + 1, lo > 0 ? 3 : 2);
	return diagram_ite(dg, in, n, outside);
}

node requests_within(struct diagrams *dg, node n, node outside)
{
	n = within(dg, IN_MINOR, 0, MINOR_MAX, n, outside);
	n = within(dg, IN_MAJOR, 0, MAJOR_MAX, n, outside);
	n = within(dg, IN_REQUESTED, 0, ACC_ALL, n, outside);
	return within(dg, IN_TYPE, DEV_BLOCK, DEV_CHAR, n, outside);
}

static node request_diagram(struct diagrams *dg, const node *by_access, node outside)
{
	node all = outside;
	for (int set = ACC_ALL; set >= 0; set--) {
		struct edge e[] = {{set - 1, NODE_FALSE}, {set, NODE_TRUE}, {UINT16_MAX, NODE_FALSE}};
		node asked = diagram_switch(dg, IN_REQUESTED, set ? e : e + 1, set ? 3 : 2);
		all = diagram_ite(dg, asked, set_diagram(dg, by_access, set), all);
	}
	return requests_within(dg, all, outside);
}

/* ---- what a program must know of a decision -------------------------------------------- */

struct told {
	const struct policy *policy;
	int access; /* the one that decided */
};

static outcome plain_verdict(const void *arg, outcome o)
{
	(void)arg;
	return OUTCOME_KIND(o) == OUT_ALLOW ? OUT_ALLOW : OUT_DENY;
}

/* The outcome as a reporting program has it: the rule, and the access that decided. */
static outcome report_label(const void *arg, outcome o)
{
	const struct told *t = arg;
	uint32_t rule = OUTCOME_RULE(o), which = t->access == ACC_WRITE ? REPORT_WRITE : (uint32_t)t->access;
	if (OUTCOME_KIND(o) == OUT_ALLOW && t->policy->audit != AUDIT_ALL)
		return OUT_ALLOW;
	return OUTCOME(OUTCOME_KIND(o), rule << REPORT_ACCESS_BITS | which);
}

/* The outcome where only the errno of a denial matters. */
static outcome errno_label(const void *arg, outcome o)
{
	const struct told *t = arg;
	uint32_t rule = OUTCOME_KIND(o) == OUT_DENY ? OUTCOME_RULE(o) : 0;
	if (OUTCOME_KIND(o) == OUT_ALLOW)
		return OUT_ALLOW;
	return OUTCOME(OUT_DENY, rule ? (uint32_t)t->policy->rules[rule - 1].error << REPORT_ACCESS_BITS : 0);
}

static outcome denied_only(const void *arg, outcome o)
{
	(void)arg;
	return OUTCOME_KIND(o) == OUT_ALLOW ? OUT_PASS : o;
}

static node report_diagram(struct policy *p, struct policy_diagram *pd)
{
	struct diagrams *dg = pd->dg;
	struct told told = {.policy = p};
	if (p->audit == AUDIT_NONE)
		return diagram_relabel(dg, pd->attribution, errno_label, &told, false);
	node outside = diagram_terminal(report_label(&told, OUT_DENY)), by_access[ACC_WRITE + 1];
	for (int access = 0; access <= ACC_WRITE; access = access ? access << 1 : ACC_MKNOD) {
		node one = diagram_restrict(dg, pd->access, IN_ACCESS, access);
		told.access = access;
		by_access[access] = diagram_relabel(dg, one, report_label, &told, false);
	}
	return request_diagram(dg, by_access, outside);
}

/* The answers to all requests, as the second part. */
static void attribution_diagram(struct builder *b)
{
	struct diagrams *dg = b->dg;
	node by_access[ACC_WRITE + 1];
	for (int access = 0; access <= ACC_WRITE; access = access ? access << 1 : ACC_MKNOD)
		by_access[access] = diagram_restrict(dg, b->part[0], IN_ACCESS, access);
	b->part[b->n++] = request_diagram(dg, by_access, diagram_terminal(OUT_DENY));
	collect(b);
}

/* All diagrams of a policy. */
static void build(struct builder *b, struct policy_diagram *out)
{
	struct policy *p = b->policy;
	access_diagram(b);
	if (diagram_ok(b->dg))
		attribution_diagram(b);
	if (!diagram_ok(b->dg))
		return;
	*out = (struct policy_diagram){.dg = b->dg, .access = b->part[0], .attribution = b->part[1],
	                               .report = NODE_FALSE, .blame = NODE_FALSE};
	out->verdict = diagram_relabel(b->dg, out->attribution, plain_verdict, NULL, false);
	if (diagram_ok(b->dg) && policy_has_tail(p))
		out->report = report_diagram(p, out);
	if (diagram_ok(b->dg) && policy_has_tail(p))
		out->blame = diagram_relabel(b->dg, out->report, denied_only, NULL, true);
}

enum built { BUILT, TOO_LARGE, TOO_MANY_COMPARISONS };

/* Builds within a budget of nodes; most are met on the way only. *rule: where it ended. */
static enum built build_within(struct policy *p, enum diagram_order order, size_t budget,
                               struct policy_diagram *out, size_t *rule)
{
	struct builder b = {.policy = p, .arena = arena_scratch(p->arena), .limit = COLLECT};
	b.dg = diagrams_new(b.arena, p->terms, order);
	diagrams_allow(b.dg, budget);
	build(&b, out);
	enum built how = diagram_ok(b.dg) ? BUILT : b.dg->nfree == FREE_MAX ? TOO_MANY_COMPARISONS : TOO_LARGE;
	*rule = b.rule;
	out->dg = NULL;
	if (how == BUILT) {
		node roots[] = {out->access, out->attribution, out->verdict, out->report, out->blame};
		out->dg = diagrams_kept(p->arena, b.dg, roots, sizeof roots / sizeof *roots);
		diagrams_allow(out->dg, DIAGRAM_BUDGET);
		out->access = roots[0];
		out->attribution = roots[1];
		out->verdict = roots[2];
		out->report = roots[3];
		out->blame = roots[4];
	}
	arena_free(b.arena);
	return how;
}

static int too_large(const struct policy *p, struct diags *d, enum built how, size_t rule)
{
	bool one = rule < p->nrules;
	struct span at = one ? p->rules[rule].at : (struct span){.file = p->file};
	struct diag *said;
	if (how == TOO_MANY_COMPARISONS)
		said = diag_add(d, DIAG_ERROR, at, "compare inputs with constants instead of with each other, or split the policy",
		                "while building the decision diagram%s: the rules compare several inputs in more than %d ways",
		                one ? ", at this rule" : "", FREE_MAX);
	else
		said = diag_add(d, DIAG_ERROR, at,
		                "its conditions are about too many things at once: compare inputs with constants instead of with each other, or split the policy",
		                "while building the decision diagram%s: more than %d nodes",
		                one ? ", at this rule" : "", DIAGRAM_BUDGET);
	if (one)
		said->source = p->rules[rule].source;
	return -1;
}

int policy_diagram(struct policy *p, struct diags *d, enum diagram_order order,
                   struct policy_diagram *out)
{
	size_t rule;
	enum built how = build_within(p, order, DIAGRAM_BUDGET, out, &rule);
	return how == BUILT ? 0 : too_large(p, d, how, rule);
}

int policy_diagram_any(struct policy *p, struct diags *d, struct policy_diagram *out)
{
	size_t rule = 0;
	enum built how = TOO_LARGE;
	for (int order = 0; order < policy_orders(p) && how != BUILT; order++)
		how = build_within(p, (enum diagram_order)order, DIAGRAM_BUDGET, out, &rule);
	return how == BUILT ? 0 : too_large(p, d, how, rule);
}

int policy_diagrams(struct policy *p, struct diags *d, struct policy_diagram out[DIAGRAM_ORDERS])
{
	int orders = policy_orders(p);
	enum built how = BUILT;
	size_t rule = 0;
	bool any = false;
	out[ORDER_FACTS_FIRST].dg = NULL;
	/* an order that is bad is given up early where the other is good */
	for (size_t budget = SMALL_BUDGET; budget <= DIAGRAM_BUDGET && !any; budget *= 8)
		for (int order = 0; order < orders; order++) {
			how = build_within(p, (enum diagram_order)order, budget, &out[order], &rule);
			any |= how == BUILT;
		}
	return any ? 0 : too_large(p, d, how, rule);
}
