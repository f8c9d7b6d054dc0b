/*
 * Which rule decides: each edge of the verdict diagram has the first rule that decides some
 * request through it; the diagrams of what is reported say what the rules say. Both against all
 * requests that the diagrams can tell apart, one by one.
 */
#include "compiler/bpf/internal.h"
#include "tests/unit/compiled.h"

static const char *const policies[] = {
	"allow \"c 1:3 rw\"\n",
	"allow \"c 1:3 r\", \"c 1:5 w\"\nallow \"c 1:* rw\"\nallow \"b 8:0-15 r\"\n",
	"default :allow\ndeny \"c 1:9 rw\"\ndeny(\"c 1:* w\") { |c| c.minor > 4 }\ndeny \"b *:* m\"\nallow \"b 8:* m\"\n",
	"allow \"a *:* m\"\nallow(\"c 1:* rw\") { |c| c.uid == 0 }\nallow \"c 1:3 r\"\nallow(\"c 1:5 rw\") { |c| c.uid > 999 }\n",
	/* a rule that never decides, one for one set of accesses, a raise */
	"allow \"c 5:* rw\"\ndeny \"c 5:1 rw\"\nallow { |c| c.requested == 6 && c.major == 4 }\n"
	"deny { |c| 10 / c.minor == 3 && c.major == 7 }\nallow \"a 7:* rw\"\n",
	/* what is reported */
	"audit :denied\nallow \"c 1:3 rw\"\ndeny \"c 1:* r\", errno: :ENOENT\nallow \"c 1:* rm\"\n",
	"audit :all\nallow \"c 1:3 rw\"\nallow { |c| c.char? && c.major == 1 && c.minor < 9 && c.read? }\n",
	"audit :denied\nmode :permissive\ndefault :allow\ndeny \"b 8:1-3 w\"\ndeny { |c| c.uid == 7 && 6 % c.minor == 1 }\n",
	"allow \"c 1:* rw\"\ndeny \"c 2:* rw\", errno: :ENOENT\ndeny(\"c 3:* rw\", errno: :EACCES) { |c| c.gid < 5 }\n",
};

enum { NONE = UINT32_MAX, BY_DEFAULT = UINT32_MAX - 1, VALUES_MAX = 64 };

/* The values of each input that stand for all others: the last of each interval of any switch. */
struct values { int64_t of[INPUT_MAX][VALUES_MAX]; size_t n[INPUT_MAX]; };

static void add_value(struct values *v, uint32_t in, int64_t value)
{
	assert_true(in < INPUT_MAX); /* the policies compare no inputs with each other */
	for (size_t i = 0; i < v->n[in]; i++)
		if (v->of[in][i] == value)
			return;
	assert_true(v->n[in] < VALUES_MAX);
	v->of[in][v->n[in]++] = value;
}

static void add_values(struct values *v, const struct diagrams *dg, node n, bool *seen)
{
	if (node_is_terminal(n, NULL) || seen[n])
		return;
	struct switch_node s = node_switch(dg, n);
	seen[n] = true;
	for (uint32_t i = 0; i < s.n; i++) {
		add_value(v, s.var, s.edges[i].hi);
		add_values(v, dg, s.edges[i].to, seen);
	}
}

static struct values values_of(const struct compiled *c)
{
	struct values v = {0};
	node roots[] = {c->pd.verdict, c->pd.attribution, c->pd.report, c->pd.blame};
	bool *seen = arena_alloc(c->arena, diagram_nodes(c->pd.dg) + 1);
	for (size_t i = 0; i < COUNT(roots); i++)
		add_values(&v, c->pd.dg, roots[i], seen);
	for (int in = 0; in < INPUT_MAX; in++)
		if (!v.n[in])
			add_value(&v, (uint32_t)in, 0);
	return v;
}

/* The next request in `inputs`, by `at`. False: there is none. */
static bool next_request(const struct values *v, size_t *at, int64_t *inputs)
{
	int in = 0;
	while (in < INPUT_MAX && ++at[in] == v->n[in])
		at[in++] = 0;
	for (int i = 0; i < INPUT_MAX; i++)
		inputs[i] = v->of[i][at[i]];
	return in < INPUT_MAX;
}

static bool first_request(const struct values *v, size_t *at, int64_t *inputs)
{
	memset(at, 0, INPUT_MAX * sizeof *at);
	for (int i = 0; i < INPUT_MAX; i++)
		inputs[i] = v->of[i][0];
	return true;
}

#define EACH_REQUEST(v, at, inputs) \
	for (bool more = first_request(v, at, inputs); more; more = next_request(v, at, inputs))

static outcome answer(const struct compiled *c, node root, const int64_t *inputs)
{
	int missing;
	outcome o = diagram_eval(c->pd.dg, root, inputs, ~(input_set)0, &missing);
	assert_int_equal(missing, -1);
	return o;
}

/* ---- attribution ------------------------------------------------------------------------ */

/* Can the kernel ask so? It asks for mknod alone. */
static bool of_the_kernel(const int64_t *inputs)
{
	int64_t set = inputs[IN_REQUESTED];
	return set <= ACC_ALL && (!(set & ACC_MKNOD) || set == ACC_MKNOD);
}

/* Notes the rule at each edge that the request takes. */
static void note(const struct compiled *c, const int64_t *inputs, const struct attribution *at, uint32_t *rules)
{
	outcome o = answer(c, c->pd.attribution, inputs);
	uint32_t rule = OUTCOME_RULE(o) ? OUTCOME_RULE(o) : BY_DEFAULT;
	for (node n = c->pd.verdict; !node_is_terminal(n, NULL);) {
		struct switch_node s = node_switch(c->pd.dg, n);
		uint32_t i = 0;
		while (s.edges[i].hi < inputs[s.var])
			i++;
		if (rule < rules[at->base[n] + i])
			rules[at->base[n] + i] = rule;
		n = s.edges[i].to;
	}
}

/* How many edges there are, the bases of the nodes being ascending and without gaps. */
static size_t edges_of(const struct compiled *c, node n, bool *seen)
{
	if (node_is_terminal(n, NULL) || seen[n])
		return 0;
	struct switch_node s = node_switch(c->pd.dg, n);
	size_t total = s.n;
	seen[n] = true;
	for (uint32_t i = 0; i < s.n; i++)
		total += edges_of(c, s.edges[i].to, seen);
	return total;
}

static void edges_have_their_first_rule(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNT(policies); k++) {
		struct compiled c = compiled_of(policies[k]);
		struct values v = values_of(&c);
		struct attribution at = attribute(c.arena, &c.pd);
		size_t n = edges_of(&c, c.pd.verdict, arena_alloc(c.arena, diagram_nodes(c.pd.dg) + 1)), i[INPUT_MAX];
		uint32_t *rules[2] = {arena_alloc(c.arena, n * sizeof **rules), arena_alloc(c.arena, n * sizeof **rules)};
		int64_t inputs[INPUT_MAX];
		assert_true(n > 0);
		memset(rules[0], 0xff, n * sizeof **rules);
		memset(rules[1], 0xff, n * sizeof **rules);
		EACH_REQUEST(&v, i, inputs) {
			note(&c, inputs, &at, rules[1]);
			if (of_the_kernel(inputs))
				note(&c, inputs, &at, rules[0]);
		}
		for (size_t e = 0; e < n; e++) {
			uint32_t rule = rules[0][e] != NONE ? rules[0][e] : rules[1][e];
			uint32_t want = rule >= BY_DEFAULT ? 0 : rule;
			if (at.rule[e] != want)
				fail_msg("policy %zu, edge %zu: rule %u, not %u", k, e, at.rule[e], want);
		}
		compiled_free(&c);
	}
}

/* A policy of one verdict has no edge. */
static void no_edges(void **state)
{
	(void)state;
	struct compiled c = compiled_of("deny \"a *:* rwm\"\n");
	assert_true(node_is_terminal(c.pd.verdict, NULL));
	assert_null(attribute(c.arena, &c.pd).rule);
	compiled_free(&c);
}

/* ---- other terminals -------------------------------------------------------------------- */

/* The first access that is denied, else the first: in the order m, r, w. */
static int deciding_access(const struct compiled *c, int64_t *inputs, outcome want)
{
	int set = (int)inputs[IN_REQUESTED];
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1) {
		int64_t asked = inputs[IN_ACCESS];
		inputs[IN_ACCESS] = bit;
		outcome o = set & bit ? answer(c, c->pd.access, inputs) : !want;
		inputs[IN_ACCESS] = asked;
		if (o == want)
			return bit;
	}
	return 0;
}

static outcome reported(const struct compiled *c, int64_t *inputs, outcome o)
{
	const struct policy *p = c->policy;
	uint32_t rule = OUTCOME_RULE(o);
	if (OUTCOME_KIND(o) == OUT_ALLOW && p->audit != AUDIT_ALL)
		return OUT_ALLOW;
	if (p->audit == AUDIT_NONE)
		return OUTCOME(OUT_DENY, rule && OUTCOME_KIND(o) == OUT_DENY ? (uint32_t)p->rules[rule - 1].error << REPORT_ACCESS_BITS : 0);
	bool inside = inputs[IN_REQUESTED] <= ACC_ALL && inputs[IN_MAJOR] <= MAJOR_MAX && inputs[IN_MINOR] <= MINOR_MAX &&
	              inputs[IN_TYPE] >= DEV_BLOCK && inputs[IN_TYPE] <= DEV_CHAR;
	int access = inside ? deciding_access(c, inputs, o) : 0;
	return OUTCOME(OUTCOME_KIND(o), rule << REPORT_ACCESS_BITS | (access == ACC_WRITE ? REPORT_WRITE : (uint32_t)access));
}

static void what_is_reported(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNT(policies); k++) {
		struct compiled c = compiled_of(policies[k]);
		struct values v = values_of(&c);
		size_t i[INPUT_MAX];
		int64_t inputs[INPUT_MAX];
		EACH_REQUEST(&v, i, inputs) {
			outcome o = answer(&c, c.pd.attribution, inputs);
			outcome plain = OUTCOME_KIND(o) == OUT_ALLOW ? OUT_ALLOW : OUT_DENY;
			assert_int_equal(answer(&c, c.pd.verdict, inputs), plain);
			if (!policy_has_tail(c.policy)) {
				assert_int_equal(answer(&c, c.pd.report, inputs), OUT_PASS);
				continue;
			}
			outcome want = reported(&c, inputs, o);
			assert_int_equal(answer(&c, c.pd.report, inputs), want);
			if (plain == OUT_DENY)
				assert_int_equal(answer(&c, c.pd.blame, inputs), want);
		}
		compiled_free(&c);
	}
}

/* Where it is not asked, what is blamed is anything: it is no larger than what is reported. */
static void blame_is_small(void **state)
{
	(void)state;
	struct compiled c = compiled_of("audit :denied\nallow \"c 1:3,5,7-9 rw\", \"b 8:1,3,5,7 r\"\nallow { |c| c.uid == 0 }\n");
	size_t nodes[2], edges[2];
	diagram_size(c.pd.dg, c.pd.report, &nodes[0], &edges[0]);
	diagram_size(c.pd.dg, c.pd.blame, &nodes[1], &edges[1]);
	assert_true(2 * edges[1] < edges[0]);
	compiled_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_have_their_first_rule),
		cmocka_unit_test(no_edges),
		cmocka_unit_test(what_is_reported),
		cmocka_unit_test(blame_is_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
