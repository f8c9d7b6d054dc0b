/* Diagrams: equal functions are equal nodes; sizes and paths stay small. */
#include "policy/diagram_internal.h"
#include "tests/unit/compiled.h"

#include <stdio.h>

static void canonical(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct terms *ts = terms_new(a);
	struct diagrams *dg = diagrams_new(a, ts, ORDER_FACTS_LAST);
	term major = term_input(ts, IN_MAJOR), minor = term_input(ts, IN_MINOR);
	term x = term_between(ts, major, 3, 9), y = term_lt(ts, minor, term_const(ts, 4));
	/* a and b, written in two ways */
	term one = term_not(ts, term_or(ts, term_not(ts, x), term_not(ts, y)));
	term two = term_and(ts, y, term_and(ts, term_lt(ts, major, term_const(ts, 10)),
	                                    term_lt(ts, term_const(ts, 2), major)));
	assert_int_equal(diagram_of_term(dg, one), diagram_of_term(dg, two));
	/* arithmetic on one input is exact: major / 10 == 2 is 20..29 */
	term tens = term_eq(ts, term_op(ts, TERM_DIV, major, term_const(ts, 10)), term_const(ts, 2));
	assert_int_equal(diagram_of_term(dg, tens), diagram_of_term(dg, term_between(ts, major, 20, 29)));
	arena_free(a);
}

static void missing_facts(void **state)
{
	(void)state;
	struct compiled c = compiled_of("allow { |c| c.char? && c.uid == 0 }");
	struct request r = {.type = DEV_CHAR, .access = ACC_READ, .major = 1, .minor = 3};
	struct decision d;
	int missing;
	assert_int_equal(policy_decide(c.policy, &c.pd, &r, &d, &missing), -1);
	assert_int_equal(missing, IN_UID);
	r.type = DEV_BLOCK; /* the fact does not matter here */
	assert_int_equal(policy_decide(c.policy, &c.pd, &r, &d, &missing), 0);
	assert_false(d.allow);
	compiled_free(&c);
}

/* 2,000 scattered rules, written out or made by a loop of blocks. */
static void scale(void **state)
{
	(void)state;
	char *text = malloc(64 * 2000), *at = text;
	srand(7);
	for (int i = 0; i < 2000; i++)
		at += sprintf(at, "allow \"c %d:%d rw\"\n", rand() % 4096, rand() % 1048576);
	struct compiled c = compiled_of(text);
	assert_true(c.image.longest <= 40);
	assert_true(c.image.ninsns < 16000);
	compiled_free(&c);
	c = compiled_of("s = 7\n2000.times do\n s = (s * 1103515245 + 12345) % 2147483648\n m = s % 4096\n"
	                " n = s / 4096 % 1048576\n allow { |c| c.char? && c.major == m && c.minor == n }\nend\n");
	assert_int_equal(c.policy->nrules, 2000);
	assert_true(c.image.longest <= 40);
	compiled_free(&c);
	free(text);
}

/* Work is linear in the bytecode, not in its paths. */
static void many_paths(void **state)
{
	(void)state;
	char *text = malloc(1 << 16), *at = text;
	at += sprintf(at, "allow do |c|\n n = 0\n");
	for (int i = 0; i < 20; i++)
		at += sprintf(at, " n += 1 if c.minor == %d\n", 2 * i);
	sprintf(at, " n > 0\nend\n");
	struct compiled c = compiled_of(text);
	assert_true(c.image.longest <= 40);
	compiled_free(&c);
	at = text + sprintf(text, "allow { |c| c.minor == 0");
	for (int i = 1; i < 200; i++)
		at += sprintf(at, " || c.minor == %d", 3 * i);
	sprintf(at, " }\n");
	c = compiled_of(text);
	assert_true(c.image.longest <= 40);
	compiled_free(&c);
	free(text);
}

/* The variables that switches below n are on. */
static size_t free_variables(const struct diagrams *dg, node n, bool *seen)
{
	size_t found = 0;
	if (node_is_terminal(n, NULL) || seen[n])
		return 0;
	struct switch_node s = node_switch(dg, n);
	seen[n] = true;
	for (uint32_t i = 0; i < s.n; i++)
		found += free_variables(dg, s.edges[i].to, seen);
	return found + (s.var >= INPUT_MAX);
}

static size_t free_of(const char *text)
{
	struct compiled c = compiled_of(text);
	size_t found = free_variables(c.pd.dg, c.pd.verdict, arena_alloc(c.arena, diagram_nodes(c.pd.dg)));
	compiled_free(&c);
	return found;
}

/* What differs by path is decided case by case while there are few cases, or when the cases are a
 * table's; else a comparison is one variable. */
static void choices(void **state)
{
	(void)state;
	char text[4096], *at = text;
	assert_int_equal(free_of("allow { |c| x = c.major == 8 ? c.minor : c.uid; x == 5 }"), 0);
	assert_int_equal(free_of("allow { |c| x = c.char? ? c.minor : c.major; y = c.read? ? x : x + 1; y < 7 }"), 0);
	assert_int_equal(free_of("T = (0..299).map { |i| i * 7 % 251 }\nU = T.map { |i| i + 3 }\n"
	                         "allow { |c| x = c.char? ? T[c.minor] : U[c.minor]; x != nil && x + 1 == c.major }"), 0);
	/* of one input: by its values */
	at += sprintf(at, "allow { |c| x = c.minor\n");
	for (int i = 0; i < 40; i++)
		at += sprintf(at, " x = x > %d ? x - %d : x + %d\n", 3 * i, i + 1, 2 * i + 1);
	sprintf(at, " x < 90 }\n");
	assert_int_equal(free_of(text), 0);
	at = text + sprintf(text, "allow { |c| x = c.minor\n");
	for (int i = 0; i < 40; i++)
		at += sprintf(at, " x = x > c.major + %d ? x - %d : x + %d\n", 3 * i, i + 1, 2 * i + 1);
	sprintf(at, " x == 5 }\n");
	assert_int_equal(free_of(text), 1);
}

/* Conditions within choices within conditions: making one diagram asks for those of the others. */
static const char nested[] =
	"default :allow\n"
	"deny { |ctx|\n"
	"  v0 = case (ctx.major % 2) when 1, 2 then (ctx.minor + ctx.uptime) when 3..9 then (ctx.minor | ctx.uptime) else (ctx.minor / (ctx.minor % 5 + 1)) end\n"
	"  if (!([3, 5, 8].include?(ctx.minor)) && ctx.char?) then v0 = ((ctx.cgroup_id != ctx.minor && [3, 5, 8].include?(ctx.minor)) ? 1 : 16) else v0 = ctx.major.abs end\n"
	"  v0 = ((ctx.major > ctx.minor ? ctx.major : ctx.major) <=> (ctx.major * 2))\n"
	"  v0 = v0 > (ctx.major / (ctx.minor % 5 + 1)) ? v0 - 2 : v0 + 2\n"
	"  v1 = (((ctx.minor) % 2 == 0 || ctx.read?) ? v0.abs : nil) || (ctx.cgroup_id == v0 ? v0 : ctx.major)\n"
	"  a = [(-ctx.minor), (v0 == 77648 ? ctx.minor : ctx.minor)]; a[0] = (~v0) if (ctx.major == 1 && ctx.minor == 8); a[1] = a[0] if (ctx.major) % 2 == 0; v2 = a[0] - a[1]\n"
	"  v3 = ((v1 != ctx.uid || 1 == 8) ? (8 % -4) : nil) || (ctx.cgroup_id <=> ctx.major)\n"
	"  v1 = (v2 != v2 ? ((ctx.major ^ 3) % 16) : nil) || [v1, v1].max\n"
	"  ((v2 < ctx.minor && (ctx.read? || ctx.major != ctx.uid)) && (ctx.major >> 0) != (v3 <=> v1))\n"
	"}\n";

static void nested_conditions(void **state)
{
	(void)state;
	assert_true(free_of(nested) < 40);
}

/* ---- operations, against what they say of each request ---------------------------- */

enum { SPREAD = 1000, ORDERS = 2 };

static outcome outcome_at(struct diagrams *dg, node n, int64_t minor, int64_t uid)
{
	int missing;
	int64_t inputs[INPUT_MAX] = {[IN_MINOR] = minor, [IN_UID] = uid};
	return diagram_eval(dg, n, inputs, ~(input_set)0, &missing);
}

/* Values that are far apart: some alike in their low 16 bits, some in their low 32. */
static int64_t random_value(enum input in)
{
	int64_t v = rand() % SPREAD;
	return in == IN_MINOR ? v * 1024 + 37 : v << 22 | 5;
}

/* partial: it need not decide. */
static node random_diagram(struct diagrams *dg, int depth, bool partial)
{
	if (!depth || rand() % 8 == 0)
		return diagram_terminal(partial && rand() % 3 == 0 ? OUTCOME(OUT_PASS, 0) : OUTCOME(OUT_DENY + rand() % 3, rand() % 3));
	enum input in = rand() % 2 ? IN_MINOR : IN_UID;
	term t = term_lt(dg->terms, term_input(dg->terms, in), term_const(dg->terms, random_value(in)));
	return diagram_ite(dg, diagram_of_term(dg, t), random_diagram(dg, depth - 1, partial), random_diagram(dg, depth - 1, partial));
}

static bool denies(outcome o)
{
	return OUTCOME_KIND(o) == OUT_DENY || OUTCOME_KIND(o) == OUT_ERROR;
}

static void operations(void **state)
{
	(void)state;
	srand(3);
	for (int i = 0; i < 200; i++) {
		struct arena *a = arena_new();
		struct diagrams *dg = diagrams_new(a, terms_new(a), (enum diagram_order)(i % ORDERS));
		node part = random_diagram(dg, 4, true), x = random_diagram(dg, 4, false), y = random_diagram(dg, 4, false);
		node over = diagram_over(dg, part, y), first = diagram_first_deny(dg, x, y);
		for (int k = 0; k < 50; k++) {
			int64_t minor = random_value(IN_MINOR) - rand() % 2, uid = random_value(IN_UID) - rand() % 2;
			outcome op = outcome_at(dg, part, minor, uid), ox = outcome_at(dg, x, minor, uid), oy = outcome_at(dg, y, minor, uid);
			assert_int_equal(outcome_at(dg, over, minor, uid), OUTCOME_KIND(op) != OUT_PASS ? op : oy);
			assert_int_equal(outcome_at(dg, first, minor, uid), denies(ox) || !denies(oy) ? ox : oy);
			node fixed = diagram_restrict(dg, x, IN_UID, uid);
			assert_int_equal(outcome_at(dg, fixed, minor, random_value(IN_UID)), ox);
			fixed = diagram_restrict(dg, x, IN_MINOR, minor);
			assert_int_equal(outcome_at(dg, fixed, random_value(IN_MINOR), uid), ox);
		}
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical),
		cmocka_unit_test(missing_facts),
		cmocka_unit_test(scale),
		cmocka_unit_test(many_paths),
		cmocka_unit_test(choices),
		cmocka_unit_test(nested_conditions),
		cmocka_unit_test(operations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
