/*
 * compare.c - two policies: what one allows and the other does not.
 *
 * Both verdicts become boolean diagrams in one set, parameters by their values. What is newly allowed is where
 * the second is true and the first is not; newly denied the other way. Requests of each are counted, and one
 * is put to both policies. What is not understood of a program may be anything: what holds whatever it is counts
 * as least, what holds for some value of it as most.
 */
#include "policy/compare.h"
#include "policy/callers.h"
#include "policy/classes.h"
#include "policy/compare_internal.h"
#include "policy/params.h"
#include "policy/recover.h"
#include "policy/transfer.h"

#include <string.h>

struct comparing {
	struct arena *arena;
	struct diags *diags;
	struct terms *ts;
	struct diagrams *dg;
	const struct compared *a, *b;
	input_set unknown; /* inputs of the set that are not understood */
	term inputs[2][INPUT_MAX]; /* what those of each become */
};

/* ---- into one set --------------------------------------------------------------------------- */

static input_set unknown_of(struct arena *a, const struct compared *one)
{
	return diagram_inputs(a, one->diagram->dg, one->diagram->verdict) & unknown_inputs(one->policy->nparams);
}

/* What the inputs become. `like`: its unknown values are the same. `whose`: stands behind their names. */
static int inputs_of(struct comparing *c, const struct compared *one, const term *like, const char *whose, term out[INPUT_MAX])
{
	const struct policy *p = one->policy;
	input_set unknown = unknown_of(c->arena, one);
	const char *why;
	if (terms_joined(c->ts, p->terms, diagram_inputs(c->arena, one->diagram->dg, one->diagram->attribution), out, &why))
		return diag_fail(c->diags, "compare each with a smaller policy", "%s and %s %s", c->a->policy->name, c->b->policy->name, why);
	for (int in = IN_PARAM_0; in < INPUT_MAX; in++) {
		size_t i = (size_t)in - IN_PARAM_0;
		int next = IN_PARAM_0 + __builtin_popcountll(c->unknown);
		out[in] = i < p->nparams ? term_const(c->ts, p->params[i].value) : T_FALSE;
		if (!(unknown & INPUT(in)))
			continue;
		if (like) {
			out[in] = like[in];
			continue;
		}
		if (next == INPUT_MAX)
			return diag_fail(c->diags, "compare them with a policy one by one",
			                 "more than %d values of the programs are not understood", INPUT_MAX - IN_PARAM_0);
		const struct term_node *k = term_get(p->terms, term_input(p->terms, (enum input)in));
		const char *name = arena_printf(c->arena, "%s%s", terms_input_name(p->terms, (enum input)in), whose);
		terms_param(c->ts, (enum input)next, name, k->lo, k->hi);
		out[in] = term_input(c->ts, (enum input)next);
		c->unknown |= INPUT(next);
	}
	return 0;
}

static int into_one_set(struct comparing *c, bool same, node verdict[2])
{
	const struct compared *each[] = {c->a, c->b};
	bool both = !same && unknown_of(c->arena, c->a) && unknown_of(c->arena, c->b);
	if (inputs_of(c, c->a, NULL, both ? " (before)" : "", c->inputs[0]) ||
	    inputs_of(c, c->b, same ? c->inputs[0] : NULL, both ? " (after)" : "", c->inputs[1]))
		return -1;
	for (int i = 0; i < 2; i++)
		verdict[i] = diagram_moved(c->dg, each[i]->diagram->dg, each[i]->diagram->verdict, c->inputs[i]);
	return 0;
}

static int too_large(struct comparing *c)
{
	return diag_fail(c->diags, "compare each with a smaller policy",
	                 "together the two need more than %d nodes of a decision diagram", DIAGRAM_BUDGET);
}

/* ---- witnesses ---------------------------------------------------------------------------------- */

/* The input of a policy that is asked for, as one of both: -1, none. */
static int input_of_both(struct comparing *c, int side, int in)
{
	const struct term_node *k = term_get(c->ts, c->inputs[side][in]);
	return in < IN_ASK_0 || in >= IN_PARAM_0 ? in : k->op == TERM_INPUT ? (int)k->a : -1;
}

/* A request with the answers to both policies' questions as one policy has them. */
static struct request asked_by(struct comparing *c, int side, const struct request *r)
{
	struct request own = *r;
	own.known &= ~(INPUT(IN_PARAM_0) - INPUT(IN_ASK_0));
	for (int in = IN_ASK_0; in < IN_PARAM_0; in++) {
		int of = input_of_both(c, side, in);
		if (of < 0 || !(r->known & INPUT(of)))
			continue;
		own.known |= INPUT(in);
		own.fact[in] = r->fact[of];
	}
	return own;
}

/* What a policy says, with the facts that it asks for added to the known ones: 0, or -1, it cannot be. */
static int decide(struct comparing *c, int side, const int64_t *fact, struct request *r, struct decision *out)
{
	const struct compared *one = side ? c->b : c->a;
	struct request own = asked_by(c, side, r);
	int missing;
	while (policy_decide(one->policy, one->diagram, &own, out, &missing)) {
		int in = missing < IN_UID || missing >= INPUT_MAX ? -1 : input_of_both(c, side, missing);
		if (in < 0 || r->known & INPUT(in))
			return -1;
		r->known |= INPUT(in);
		r->fact[in] = fact[in];
		own = asked_by(c, side, r);
	}
	return 0;
}

/* The witness with the facts that decide, put to both policies. `read`: the inputs that its search looked at. */
static int check(struct comparing *c, struct change *x, const struct request *found, input_set read, bool allowed)
{
	const input_set comm = INPUT(IN_COMM_0) | INPUT(IN_COMM_1);
	const struct asked *as = terms_asked(c->ts);
	int64_t fact[INPUT_MAX];
	x->witness = *found;
	memcpy(fact, found->fact, sizeof fact);
	memset(x->witness.fact, 0, sizeof x->witness.fact);
	x->witness.known = 0;
	int failed = !caller_completed(as, read, fact) || decide(c, 0, fact, &x->witness, &x->was) || decide(c, 1, fact, &x->witness, &x->is);
	if (failed || x->was.allow == allowed || x->is.allow != allowed || !caller_words(as, &x->witness))
		return diag_fail(c->diags, "report it with both policies",
		                 "a fault: a request that was found to be decided differently is not");
	if (x->witness.known & comm)
		for (int in = IN_COMM_0; in <= IN_COMM_1; in++)
			x->witness.fact[in] = found->fact[in];
	x->witness.known |= x->witness.known & comm ? comm : 0;
	x->witness.known &= INPUT(IN_ASK_0) - 1; /* answers are in its words, whatever the questions' places */
	x->witness.text = request_words(c->arena, &x->witness);
	return 0;
}

/* ---- one direction -------------------------------------------------------------------------------- */

/* What single accesses change, where that says what requests change: then it is rules with letters. */
static node by_letters(struct comparing *c, node n)
{
	struct diagrams *dg = c->dg;
	node of[ACC_ALL + 1], all = NODE_FALSE;
	for (int set = 0; set <= ACC_ALL; set++)
		of[set] = diagram_restrict(dg, n, IN_REQUESTED, set);
	node r = of[ACC_READ], w = of[ACC_WRITE], both = diagram_ite(dg, r, w, NODE_FALSE), any = diagram_ite(dg, r, NODE_TRUE, w);
	any = diagram_ite(dg, any, NODE_TRUE, of[ACC_MKNOD]);
	node either = diagram_ite(dg, r, NODE_TRUE, w);
	/* a request that changes, of which no access does; one that does not, of which both do */
	if (diagram_ite(dg, both, diagram_ite(dg, of[ACC_READ | ACC_WRITE], NODE_FALSE, NODE_TRUE), NODE_FALSE) != NODE_FALSE ||
	    diagram_ite(dg, either, NODE_FALSE, of[ACC_READ | ACC_WRITE]) != NODE_FALSE ||
	    diagram_ite(dg, any, NODE_FALSE, of[0]) != NODE_FALSE)
		return n;
	of[0] = any;
	of[ACC_READ | ACC_WRITE] = both;
	for (int set = ACC_ALL; set >= 0; set--) {
		struct edge e[] = {{set - 1, NODE_FALSE}, {set, NODE_TRUE}, {UINT16_MAX, NODE_FALSE}};
		node asked = diagram_switch(dg, IN_REQUESTED, set ? e : e + 1, set ? 3 : 2), one = of[set];
		if (set & ACC_MKNOD && set != ACC_MKNOD) {
			one = NODE_TRUE;
			for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1)
				if (set & bit)
					one = diagram_ite(dg, one, of[bit], NODE_FALSE);
		}
		all = diagram_ite(dg, asked, one, all);
	}
	return requests_within(dg, all, NODE_FALSE);
}

static outcome verdict_of(const void *arg, outcome o)
{
	(void)arg;
	return o == OUT_ALLOW ? OUT_ALLOW : OUT_DENY;
}

/* Each class of devices costs as much as its conditions, which may be all of the diagram. */
static bool few_classes(struct arena *a, struct diagrams *dg, node verdict)
{
	enum { CLASSES_MOST = 4096, CONDITIONS_MOST = 8 << 20 };
	const struct policy_diagram pd = {.dg = dg, .access = verdict, .attribution = verdict};
	struct device_classes classes;
	return device_classes(a, &pd, CLASSES_MOST, &classes) && classes.n * diagram_nodes(dg) <= CONDITIONS_MOST;
}

/* NULL: there are too many different devices. */
static const char *rules_of(struct comparing *c, node n)
{
	struct arena *scratch = arena_scratch(c->arena);
	struct diags unsaid;
	struct policy *p;
	const char *text, *rules = NULL;
	bool in_ruby;
	diags_init(&unsaid, scratch);
	node verdict = diagram_relabel(c->dg, by_letters(c, n), verdict_of, NULL, false);
	struct diagrams *dg = diagram_ok(c->dg) ? diagrams_kept(scratch, c->dg, &verdict, 1) : NULL;
	if (dg && few_classes(scratch, dg, verdict) &&
	    !policy_recover(scratch, &unsaid, "change", NULL, dg, c->ts, verdict, &p, &text, &in_ruby))
		rules = arena_strdup(c->arena, text);
	arena_free(scratch);
	return rules;
}

static void add_hang(struct comparing *c, struct change *x, const char *what)
{
	x->hangs = x->hangs ? arena_printf(c->arena, "%s; %s", x->hangs, what) : what;
}

/* The changes of devices with which there is some caller who can be. */
static node with_callers(struct comparing *c, node n, node possible)
{
	const input_set device = INPUT(IN_TYPE) | INPUT(IN_REQUESTED) | INPUT(IN_MAJOR) | INPUT(IN_MINOR);
	if (n == possible)
		return n;
	return diagram_ite(c->dg, diagram_without(c->dg, possible, ALL_COMPARISONS | ~device, false), n, NODE_FALSE);
}

static int change_of(struct comparing *c, node all, bool allowed, struct change *x)
{
	enum { TERM_SHOWN = 120 };
	struct counted least, most;
	node n = callers_only(c->arena, c->dg, all);
	node must = diagram_without(c->dg, n, c->unknown, true), may = diagram_without(c->dg, n, c->unknown, false);
	*x = (struct change){0};
	if (!diagram_ok(c->dg))
		return too_large(c);
	requests_counted(c->arena, c->dg, c->ts, must, &least);
	most = least;
	if (may != must)
		requests_counted(c->arena, c->dg, c->ts, may, &most);
	x->least = least.least;
	x->most = most.most;
	x->found = least.found;
	if (!diagram_ok(c->dg))
		return too_large(c);
	if (x->found && check(c, x, &least.one, diagram_inputs(c->arena, c->dg, must), allowed))
		return -1;
	input_set hangs = x->least == x->most ? 0 : diagram_inputs(c->arena, c->dg, n) & c->unknown;
	for (; hangs; hangs &= hangs - 1)
		add_hang(c, x, terms_input_name(c->ts, (enum input)__builtin_ctzll(hangs)));
	if (most.hangs != T_FALSE && x->least != x->most)
		add_hang(c, x, term_text(c->arena, c->ts, most.hangs, TERM_SHOWN));
	if (x->most)
		x->rules = rules_of(c, with_callers(c, all, n));
	return 0;
}

int policy_compare(struct arena *arena, struct diags *d, const struct compared *a, const struct compared *b, bool same,
                   struct comparison *out)
{
	struct comparing c = {.arena = arena, .diags = d, .ts = terms_new(arena), .a = a, .b = b};
	node verdict[2];
	c.dg = diagrams_new(arena, c.ts, ORDER_FACTS_LAST);
	if (into_one_set(&c, same, verdict))
		return -1;
	node allowed = diagram_ite(c.dg, verdict[0], NODE_FALSE, verdict[1]);
	node denied = diagram_ite(c.dg, verdict[1], NODE_FALSE, verdict[0]);
	if (!diagram_ok(c.dg))
		return too_large(&c);
	return change_of(&c, allowed, true, &out->allowed) || change_of(&c, denied, false, &out->denied) ? -1 : 0;
}
