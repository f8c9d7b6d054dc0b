/*
 * Verdicts as policies: the rules that are made mean what the verdict meant, of every policy of the
 * tests; no rule can be left out; the text compiles to the same.
 */
#include "policy/asked.h"
#include "policy/recover.h"
#include "policy/transfer.h"
#include "tests/unit/compiled.h"
#include "tests/unit/random_policy.h"


/* The same answers to all that the kernel asks. */
static bool same_asked(struct diagrams *dg, node x, node y)
{
	static const int asked[] = {0, ACC_MKNOD, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE};
	for (size_t i = 0; i < COUNT(asked); i++)
		if (diagram_restrict(dg, x, IN_REQUESTED, asked[i]) != diagram_restrict(dg, y, IN_REQUESTED, asked[i]))
			return false;
	return true;
}

/* The verdict of a policy in a set of diagrams that is there: rule by rule. */
static node verdict_in(struct diagrams *dg, struct policy *p)
{
	node by_access[ACC_WRITE + 1];
	node all = diagram_terminal(p->default_allow ? OUT_ALLOW : OUT_DENY), verdict = diagram_terminal(OUT_DENY);
	for (size_t i = p->nrules; i-- > 0;)
		all = diagram_ite(dg, diagram_of_term(dg, p->rules[i].match), diagram_terminal(p->rules[i].deny ? OUT_DENY : OUT_ALLOW), all);
	for (int a = 0; a <= ACC_WRITE; a = a ? a << 1 : ACC_MKNOD)
		by_access[a] = diagram_restrict(dg, all, IN_ACCESS, a);
	for (int set = ACC_ALL; set >= 0; set--) {
		node one = set ? diagram_terminal(OUT_ALLOW) : diagram_restrict(dg, by_access[0], IN_REQUESTED, 0);
		for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1)
			if (set & bit)
				one = diagram_ite(dg, one, diagram_restrict(dg, by_access[bit], IN_REQUESTED, set), diagram_terminal(OUT_DENY));
		struct edge e[] = {{set - 1, diagram_terminal(OUT_PASS)}, {set, diagram_terminal(OUT_ALLOW)}, {UINT16_MAX, diagram_terminal(OUT_PASS)}};
		node asked = diagram_switch(dg, IN_REQUESTED, set ? e : e + 1, set ? 3 : 2);
		verdict = diagram_ite(dg, asked, one, verdict);
	}
	return requests_within(dg, verdict, diagram_terminal(OUT_DENY));
}

/* A rule that changes nothing when it is gone. */
static void check_needed(const char *name, struct diagrams *dg, const struct policy *p, node verdict)
{
	for (size_t i = 0; i < p->nrules && p->nrules < 30; i++) {
		struct policy less = *p;
		less.rules = arena_alloc(p->arena, p->nrules * sizeof *less.rules);
		memcpy(less.rules, p->rules, i * sizeof *less.rules);
		memcpy(less.rules + i, p->rules + i + 1, (p->nrules - i - 1) * sizeof *less.rules);
		less.nrules--;
		if (same_asked(dg, verdict_in(dg, &less), verdict))
			fail_msg("%s: %s is not needed", name, p->rules[i].source);
	}
}

/* Two compilations: of the policy, and of the text that was made of it, in one set. Diagrams are reduced, so equal ones
 * are one node. Comparisons of several inputs may be written otherwise: then *known is false. */
static node brought(struct compiled *to, struct diagrams *dg, struct compiled *of, const struct policy_diagram *pd)
{
	term inputs[INPUT_MAX];
	const char *why;
	assert_int_equal(terms_joined(to->policy->terms, of->policy->terms, ~(input_set)0, inputs, &why), 0);
	for (size_t i = 0; i < to->policy->nparams; i++)
		inputs[IN_PARAM_0 + i] = term_input(to->policy->terms, (enum input)(IN_PARAM_0 + i));
	return diagram_moved(dg, pd->dg, pd->verdict, inputs);
}

static bool compares(const struct compiled *c, struct diagrams *dg, node n)
{
	bool *below = diagram_below(c->arena, dg, &n, 1), any = false;
	for (node k = 0; k < diagram_nodes(dg); k++)
		any |= below[k] && node_switch(dg, k).var >= INPUT_MAX;
	return any;
}

static size_t equal_diagrams;

static void same_diagrams(const char *name, struct compiled *c, struct compiled *again)
{
	static const int sets[] = {0, ACC_MKNOD, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE};
	struct policy_diagram x, y;
	if (policy_diagram(c->policy, &c->diags, ORDER_FACTS_LAST, &x) || policy_diagram(again->policy, &again->diags, ORDER_FACTS_LAST, &y))
		fail_msg("%s: no diagram", name);
	struct diagrams *dg = diagrams_new(c->arena, c->policy->terms, ORDER_FACTS_LAST);
	node one = brought(c, dg, c, &x), two = brought(c, dg, again, &y);
	bool same = true;
	for (size_t i = 0; i < COUNT(sets); i++)
		same &= diagram_restrict(dg, one, IN_REQUESTED, sets[i]) == diagram_restrict(dg, two, IN_REQUESTED, sets[i]);
	if (!same && !compares(c, dg, one) && !compares(c, dg, two))
		fail_msg("%s: what was made of it has another diagram", name);
	equal_diagrams += same;
}

/* A task that answers some of the questions with yes. */
static void someone(struct rng *g, const struct asked *as, struct request *q)
{
	for (enum input in = IN_EUID; in < IN_ASK_0; in++)
		q->fact[in] = input_kind(in) == FACT_YES_NO ? below(g, 2) : input_kind(in) == FACT_OR_NONE && below(g, 2) ? ID_NONE : below(g, 6);
	q->fact[IN_EXE] = as->npaths && below(g, 4) ? as->paths[below(g, (uint32_t)as->npaths)].value : 0;
	q->fact[IN_PARENT_EXE] = as->npaths && below(g, 2) ? as->paths[below(g, (uint32_t)as->npaths)].value : 0;
	for (size_t i = 0; i < as->nasks; i++)
		if (below(g, 2))
			asked_suppose(&as->asks[i], true, q);
	q->who.known = WHO_GROUPS | WHO_CAPS | WHO_CGROUP;
}

static void same_decisions(const char *name, const struct compiled *c, const struct compiled *again, int requests)
{
	static const int asked[] = {0, ACC_MKNOD, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE};
	struct rng g = {99};
	for (int i = 0; i < requests; i++) {
		struct request q = {.type = 1 + (int)below(&g, 2), .access = asked[below(&g, 5)], .known = ~(input_set)0,
		                    .major = below(&g, 4) ? below(&g, 15) : below(&g, MAJOR_MAX),
		                    .minor = below(&g, 3) ? below(&g, 30) : below(&g, MINOR_MAX)};
		struct decision one, two;
		int missing;
		q.fact[IN_UID] = below(&g, 2) * 1000;
		q.fact[IN_GID] = below(&g, 30);
		q.fact[IN_PID] = below(&g, 5);
		q.fact[IN_UPTIME] = below(&g, 200);
		someone(&g, policy_asks(c->policy), &q);
		asked_answer(policy_asks(c->policy), &q);
		assert_int_equal(policy_decide(c->policy, &c->pd, &q, &one, &missing), 0);
		asked_answer(policy_asks(again->policy), &q);
		assert_int_equal(policy_decide(again->policy, &again->pd, &q, &two, &missing), 0);
		if (one.allow != two.allow)
			fail_msg("%s: %d %lld:%lld access %d", name, q.type, (long long)q.major, (long long)q.minor, q.access);
	}
}

static size_t files, rules, ruby; /* of test_files(), test_random() */
static int requests = 6000;

static void try_text(const char *name, const char *text)
{
	struct compiled c = compiled_of(text);
	struct policy *p;
	const char *made;
	bool in_ruby;
	struct policy_diagram pd;
	if (policy_diagram(c.policy, &c.diags, ORDER_FACTS_LAST, &pd))
		fail_msg("%s: no diagram", name);
	if (policy_recover(c.arena, &c.diags, name, c.policy, pd.dg, c.policy->terms, pd.verdict, &p, &made, &in_ruby))
		fail_msg("%s: %s", name, c.diags.items[c.diags.n - 1].text);
	if (!same_asked(pd.dg, verdict_in(pd.dg, p), pd.verdict))
		fail_msg("%s means something else:\n%s", name, made);
	check_needed(name, pd.dg, p, pd.verdict);
	files++;
	rules += p->nrules;
	if (in_ruby && strlen(made) < 60000) {
		struct compiled again = compiled_of(made);
		same_decisions(name, &c, &again, requests);
		same_diagrams(name, &c, &again);
		compiled_free(&again);
		ruby++;
	}
	compiled_free(&c);
}

static void test_random(void **state)
{
	(void)state;
	struct rng g = {11};
	files = rules = ruby = equal_diagrams = 0;
	requests = 300;
	for (int i = 0; i < 300; i++) {
		struct arena *a = arena_new();
		const char *text = random_policy(a, &g, i & 1);
		try_text(text, text);
		arena_free(a);
	}
	print_message("%zu policies, %zu rules, %zu compiled again, %zu diagrams equal\n", files, rules, ruby, equal_diagrams);
	assert_int_equal(ruby, 300);
	assert_true(equal_diagrams > 250);
}

static void test_texts(void **state)
{
	(void)state;
	static const char *const texts[][2] = {
		{"default :allow\n", "default :allow\n"},
		{"default :deny\n", "default :deny\n"},
		{"allow :null, :zero, access: \"rw\"\nallow \"c 1:7 wr\"\nallow \"a *:* m\"\n",
		 "allow :null, :zero, :full, access: \"rw\"\nallow \"a *:*\", access: \"m\"\n"},
		{"default :allow\ndeny :mem, :kmem\ndeny \"b *:*\", access: \"w\"\n",
		 "default :allow\ndeny :mem, :kmem\ndeny \"b *:*\", access: \"w\"\n"},
		{"allow \"c *:*\"\nallow \"b 8:1\", access: \"r\"\nallow \"b 8:3\", access: \"r\"\n", "allow \"b 8:1,3\", access: \"r\"\nallow \"c *:*\"\n"},
		{"allow(\"c 9:* rw\") { |c| c.minor == c.uid }\n", "allow(:st, access: \"rw\") { |ctx| (ctx.minor == ctx.uid) }\n"},
		{"param :gpu, 3, in: 0..15\nallow(\"c 195:0-15 r\") { |c| c.minor == c.gpu }\n",
		 "param :gpu, 3, in: 0..15\nallow(\"c 195:0-15\", access: \"r\") { |ctx| (ctx.minor == ctx.gpu) }\n"},
		{"allow(:kmsg) { |c| c.uid == 0 && c.gid == 5 }\nallow \"a *:* m\"\n",
		 "allow(:kmsg, access: \"rw\") { |ctx| ctx.uid == 0 && ctx.gid == 5 }\nallow \"a *:*\", access: \"m\"\n"},
		{"default :allow\ndeny(:mem) { |c| c.uid == 1000 || c.gid == 5 }\n",
		 "default :allow\nallow(:mem) { |ctx| !(ctx.gid == 5 || ctx.uid == 1000) }\ndeny :mem\n"},
		{"allow(:null) { |c| c.comm == \"qemu-system-x86\" }\nallow(:zero) { |c| c.comm != \"a\\\"b\" }\n",
		 "allow(:null) { |ctx| ctx.comm == \"qemu-system-x86\" }\nallow(:zero) { |ctx| !(ctx.comm == \"a\\\"b\") }\n"},
		{"allow(:null) { |c| c.comm.start_with?(\"qemu\") }\nallow(:zero) { |c| c.comm.start_with?(\"qemu-system\") }\n",
		 "allow(:null) { |ctx| ctx.comm.start_with?(\"qemu\") }\nallow(:zero) { |ctx| ctx.comm.start_with?(\"qemu-system\") }\n"},
		{"allow(:null) { |c| [1, 5, 9, 20].include?(c.uid) || c.uid.between?(30, 40) }\n",
		 "allow(:null) { |ctx| ([1, 5, 9, 20].include?(ctx.uid) || ctx.uid.between?(30, 40)) }\n"},
		{"allow(:null, access: \"r\") { |c| c.uid == 0 }\nallow(:zero, access: \"r\") { |c| c.uid == 0 }\nallow :zero, access: \"w\"\n",
		 "allow(:null, :zero, access: \"r\") { |ctx| ctx.uid == 0 }\nallow :zero, access: \"w\"\n"},
		{"param :gpu, 3, in: -9..9\ndeny(\"c 1:3\") { |c| c.minor == c.gpu }\n", "param :gpu, 3, in: -9..9\ndefault :deny\n"},
		{"allow { |c| c.major == 9 && c.requested != 6 }\n",
		 "allow(\"a 9:*\") { |ctx| [0, 1, 2, 4].include?(ctx.requested) }\n"},
	};
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct compiled c = compiled_of(texts[i][0]);
		struct policy *p;
		const char *made;
		bool in_ruby;
		assert_int_equal(policy_recover(c.arena, &c.diags, "it", c.policy, c.pd.dg, c.policy->terms, c.pd.verdict, &p, &made, &in_ruby), 0);
		same_text(texts[i][0], made, texts[i][1]);
		same_text("name", p->name, "it");
		compiled_free(&c);
	}
}

static void test_files(void **state)
{
	(void)state;
	each_policy_file(try_text);
	print_message("%zu files, %zu rules, %zu compiled again\n", files, rules, ruby);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
