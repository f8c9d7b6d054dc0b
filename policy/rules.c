/*
 * rules.c - a policy as a function of a whole request.
 *
 * Each rule becomes a partial diagram over one access; overlaid in order, the
 * first that matches decides (D). A request for a set of accesses is allowed
 * when D allows each of them (P), asked in the order mknod, read, write.
 */
#include "policy/diagram_internal.h"
#include "policy/rules.h"
#include "policy/device.h"

#include <string.h>

const char *const audit_words[] = {[AUDIT_NONE] = "none", [AUDIT_DENIED] = "denied", [AUDIT_ALL] = "all"};
const char *const mode_words[] = {[MODE_ENFORCE] = "enforce", [MODE_PERMISSIVE] = "permissive"};

static term in_intervals(struct terms *ts, enum input in, const struct interval *list, size_t n)
{
	term any = T_FALSE, x = term_input(ts, in);
	for (size_t i = 0; i < n; i++)
		any = term_or(ts, any, term_between(ts, x, list[i].lo, list[i].hi));
	return any;
}

static term type_in(struct terms *ts, int types)
{
	if (types == (DEV_BLOCK | DEV_CHAR))
		return T_TRUE;
	/* One term a statement: C does not order arguments, and terms are numbered as
	 * they are made; objects shall not depend on the compiler they were built by. */
	term wanted = term_const(ts, types);
	return term_eq(ts, term_input(ts, IN_TYPE), wanted);
}

/* The accesses a rule's letters match; see README.md on requests without any. */
static term access_in(struct terms *ts, int letters, bool deny)
{
	int set = letters ? letters : ACC_ALL;
	term any = T_FALSE, x = term_input(ts, IN_ACCESS);
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1)
		if (!(set & bit))
			any = term_or(ts, any, term_eq(ts, x, term_const(ts, bit)));
	if (deny && set != ACC_ALL)
		any = term_or(ts, any, term_eq(ts, x, term_const(ts, 0)));
	return term_not(ts, any);
}

term rule_devices(struct policy *p, const struct rule *r)
{
	struct terms *ts = p->terms;
	if (!r->npatterns)
		return T_TRUE;
	term any = T_FALSE;
	for (size_t i = 0; i < r->npatterns; i++) {
		const struct pattern *d = &r->patterns[i];
		term access = access_in(ts, d->access, r->deny);
		term one = term_and(ts, type_in(ts, d->types), access);
		one = term_and(ts, one, in_intervals(ts, IN_MAJOR, d->majors, d->nmajors));
		one = term_and(ts, one, in_intervals(ts, IN_MINOR, d->minors, d->nminors));
		any = term_or(ts, any, one);
	}
	return any;
}

static node rule_diagram(struct diagrams *dg, const struct rule *r, uint32_t number)
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
		add_part(b, rule_diagram(b->dg, &p->rules[b->rule], (uint32_t)b->rule + 1));
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

static node request_diagram(struct diagrams *dg, const node *by_access, node outside)
{
	node all = outside;
	for (int set = ACC_ALL; set >= 0; set--) {
		struct edge e[] = {{set - 1, NODE_FALSE}, {set, NODE_TRUE}, {UINT16_MAX, NODE_FALSE}};
		node asked = diagram_switch(dg, IN_REQUESTED, set ? e : e + 1, set ? 3 : 2);
		all = diagram_ite(dg, asked, set_diagram(dg, by_access, set), all);
	}
	all = within(dg, IN_MINOR, 0, MINOR_MAX, all, outside);
	all = within(dg, IN_MAJOR, 0, MAJOR_MAX, all, outside);
	return within(dg, IN_TYPE, DEV_BLOCK, DEV_CHAR, all, outside);
}

/* ---- other terminals -------------------------------------------------------------- */

struct relabel {
	struct diagrams *dg;
	const struct policy *policy;
	outcome (*label)(const struct policy *p, outcome o, int access);
	int access;
	bool fill; /* what becomes OUT_PASS does not matter: take what makes it smaller */
};

/* Edges that do not matter go where the one before, or the next one, goes. */
static void fill_edges(struct edge *e, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (e[i].to == NODE_FALSE)
			e[i].to = e[i - 1].to;
	for (size_t i = n - 1; i-- > 0;)
		if (e[i].to == NODE_FALSE)
			e[i].to = e[i + 1].to;
}

static node relabeled(const struct relabel *r, node terminal)
{
	outcome o;
	node_is_terminal(terminal, &o);
	return diagram_terminal(r->label(r->policy, o, r->access));
}

/* The diagram with other terminals. Each node is rebuilt once, children first. */
static node relabel(const struct relabel *r, node root)
{
	struct diagrams *dg = r->dg;
	struct { node n; uint32_t edge; } *stack = NULL;
	size_t n = 0, cap = 0;
	struct edge *e = NULL; /* of one node */
	size_t room = 0;
	node *done = arena_alloc(dg->arena, (dg->nnodes + 1) * sizeof *done); /* 1 + result */
	if (node_is_terminal(root, NULL))
		return relabeled(r, root);
#define PUSH(k) (*ARENA_PUSH(dg->arena, stack, n, cap) = (__typeof__(*stack)){k, 0})
	PUSH(root);
	while (n) {
		node k = stack[n - 1].n;
		if (done[k]) {
			n--;
			continue;
		}
		struct switch_node s = node_switch(dg, k);
		uint32_t i = stack[n - 1].edge;
		while (i < s.n && (s.edges[i].to & TERMINAL_BIT || done[s.edges[i].to]))
			i++;
		stack[n - 1].edge = i;
		if (i < s.n) {
			PUSH(s.edges[i].to);
			continue;
		}
		if (s.n > room)
			e = arena_move(dg->arena, e, room * sizeof *e, 2 * s.n * sizeof *e), room = 2 * s.n;
		for (i = 0; i < s.n; i++) {
			node to = s.edges[i].to;
			e[i].hi = s.edges[i].hi;
			/* a rebuilt terminal keeps its bit in spite of the 1 added */
			e[i].to = to & TERMINAL_BIT ? relabeled(r, to) : done[to] - 1;
		}
		if (r->fill)
			fill_edges(e, s.n);
		done[k] = diagram_switch(dg, s.var, e, s.n) + 1;
	}
#undef PUSH
	return done[root] - 1;
}

static outcome plain_verdict(const struct policy *p, outcome o, int access)
{
	(void)p, (void)access;
	return OUTCOME_KIND(o) == OUT_ALLOW ? OUT_ALLOW : OUT_DENY;
}

/* ---- what a program must know of a decision -------------------------------------------- */

/* The outcome as a reporting program has it: the rule, and the access that decided. */
static outcome report_label(const struct policy *p, outcome o, int access)
{
	uint32_t rule = OUTCOME_RULE(o), which = access == ACC_WRITE ? REPORT_WRITE : (uint32_t)access;
	if (OUTCOME_KIND(o) == OUT_ALLOW && p->audit != AUDIT_ALL)
		return OUT_ALLOW;
	return OUTCOME(OUTCOME_KIND(o), rule << REPORT_ACCESS_BITS | which);
}

/* The outcome where only the errno of a denial matters. */
static outcome errno_label(const struct policy *p, outcome o, int access)
{
	uint32_t rule = OUTCOME_RULE(o);
	(void)access;
	if (OUTCOME_KIND(o) == OUT_ALLOW)
		return OUT_ALLOW;
	return OUTCOME(OUT_DENY, rule && OUTCOME_KIND(o) == OUT_DENY ? (uint32_t)p->rules[rule - 1].error << REPORT_ACCESS_BITS : 0);
}

static outcome denied_only(const struct policy *p, outcome o, int access)
{
	(void)p, (void)access;
	return OUTCOME_KIND(o) == OUT_ALLOW ? OUT_PASS : o;
}

bool policy_has_errno(const struct policy *p)
{
	for (size_t i = 0; i < p->nrules; i++)
		if (p->rules[i].error)
			return true;
	return false;
}

int policy_outcome_errno(const struct policy *p, outcome o)
{
	uint32_t rule = OUTCOME_RULE(o) >> REPORT_ACCESS_BITS;
	if (p->audit == AUDIT_NONE)
		return (int)rule;
	bool exists = rule && rule <= p->nrules; /* asked also of programs that are not trusted */
	return exists && OUTCOME_KIND(o) == OUT_DENY ? p->rules[rule - 1].error : 0;
}

bool policy_has_tail(const struct policy *p)
{
	return p->audit != AUDIT_NONE || p->mode == MODE_PERMISSIVE || policy_has_errno(p);
}

static node report_diagram(struct policy *p, struct policy_diagram *pd)
{
	struct diagrams *dg = pd->dg;
	struct relabel r = {.dg = dg, .policy = p,
	                    .label = p->audit == AUDIT_NONE ? errno_label : report_label};
	if (p->audit == AUDIT_NONE)
		return relabel(&r, pd->attribution);
	node by_access[ACC_WRITE + 1];
	for (int access = 0; access <= ACC_WRITE; access = access ? access << 1 : ACC_MKNOD) {
		r.access = access;
		by_access[access] = relabel(&r, diagram_restrict(dg, pd->access, IN_ACCESS, access));
	}
	r.access = 0;
	node outside = diagram_terminal(report_label(p, OUT_DENY, 0));
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
	struct relabel r = {.dg = b->dg, .policy = p, .label = plain_verdict};
	*out = (struct policy_diagram){.dg = b->dg, .access = b->part[0], .attribution = b->part[1],
	                               .report = NODE_FALSE, .blame = NODE_FALSE};
	out->verdict = relabel(&r, out->attribution);
	if (diagram_ok(b->dg) && policy_has_tail(p)) {
		struct relabel blame = {.dg = b->dg, .policy = p, .label = denied_only, .fill = true};
		out->report = report_diagram(p, out);
		out->blame = diagram_ok(b->dg) ? relabel(&blame, out->report) : NODE_FALSE;
	}
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

/* The order matters only where a rule reads a caller fact. */
int policy_orders(const struct policy *p)
{
	uint32_t inputs = 0;
	for (size_t i = 0; i < p->nrules; i++) {
		inputs |= term_get(p->terms, p->rules[i].match)->inputs;
		for (size_t k = 0; k < p->rules[i].nraises; k++)
			inputs |= term_get(p->terms, p->rules[i].raises[k].when)->inputs;
	}
	return inputs >> IN_UID ? DIAGRAM_ORDERS : 1;
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

/* ---- files ----------------------------------------------------------------------------- */

const char *policy_file(const struct policy *p, uint32_t file)
{
	const char *name = file && file <= p->nrules ? p->rules[file - 1].at.file : p->file;
	return name ? name : "";
}

const uint32_t *policy_files(struct arena *a, const struct policy *p)
{
	uint32_t *files = arena_alloc(a, (p->nrules + 1) * sizeof *files), *known = NULL;
	size_t n = 0, cap = 0;
	for (size_t i = 0; i < p->nrules; i++) {
		const char *file = p->rules[i].at.file;
		if (!file || file == p->file || !strcmp(file, p->file ? p->file : ""))
			continue;
		size_t k = 0;
		while (k < n && strcmp(policy_file(p, known[k]), file))
			k++;
		if (k == n)
			*ARENA_PUSH(a, known, n, cap) = (uint32_t)i + 1;
		files[i] = known[k];
	}
	return files;
}

/* ---- deciding one request -------------------------------------------------------------- */

/* The raise of `r` that holds for this access; the first when none is certain. */
static const struct raise *raise_of(const struct policy *p, const struct rule *r, int64_t *inputs,
                                    int set)
{
	for (int bit = set ? ACC_MKNOD : 0; bit <= ACC_WRITE; bit = bit ? bit << 1 : ACC_ALL) {
		if (set && !(set & bit))
			continue;
		inputs[IN_ACCESS] = bit;
		for (size_t i = 0; i < r->nraises; i++)
			if (term_eval(p->terms, r->raises[i].when, inputs))
				return &r->raises[i];
	}
	return r->nraises ? &r->raises[0] : NULL;
}

int policy_decide(const struct policy *p, const struct policy_diagram *pd, const struct request *r,
                  struct decision *out, int *missing)
{
	int64_t inputs[INPUT_MAX];
	uint32_t known = r->known | 1u << IN_TYPE | 1u << IN_REQUESTED | 1u << IN_MAJOR | 1u << IN_MINOR;
	for (int i = 0; i < INPUT_MAX; i++)
		inputs[i] = r->fact[i];
	for (size_t i = 0; i < p->nparams; i++) {
		inputs[IN_PARAM_0 + i] = p->params[i].value;
		known |= 1u << (IN_PARAM_0 + i);
	}
	inputs[IN_TYPE] = r->type;
	inputs[IN_REQUESTED] = r->access;
	inputs[IN_MAJOR] = r->major;
	inputs[IN_MINOR] = r->minor;
	outcome o = diagram_eval(pd->dg, pd->attribution, inputs, known, missing);
	*out = (struct decision){0};
	if (*missing >= 0)
		return -1;
	out->allow = OUTCOME_KIND(o) == OUT_ALLOW;
	out->error = OUTCOME_KIND(o) == OUT_ERROR;
	out->rule = OUTCOME_RULE(o) ? &p->rules[OUTCOME_RULE(o) - 1] : NULL;
	if (out->error)
		out->raise = raise_of(p, out->rule, inputs, r->access);
	return 0;
}
