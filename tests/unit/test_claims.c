/*
 * Claims against brute force: policies and claims by chance, over numbers so small that every request, caller
 * and value of a parameter can be tried.
 */
#include "policy/claims.h"
#include "policy/device.h"
#include "tests/unit/compiled.h"
#include "tests/unit/policy_files.h"

enum { TEXT = 4096, DEVICES = 4 /* majors, and minors, named */, GPU = 3 };

/* Those that no rule names, with the ones that rules name. */
static const int64_t numbers[] = {0, 1, 2, 3, 4, MAJOR_MAX}, uids[] = {0, 1, 2, 3, 4, 5, 6, 7, UINT32_MAX};

/* ---- texts by chance -------------------------------------------------------------------------- */

struct text { char s[TEXT]; size_t n; };

static void __attribute__((format(printf, 2, 3))) say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	t->n += (size_t)vsnprintf(t->s + t->n, sizeof t->s - t->n, fmt, ap);
	va_end(ap);
	assert_true(t->n < sizeof t->s);
}

static void say_pattern(struct text *t, struct rng *g, bool small)
{
	static const char *const letters[] = {"", " r", " w", " m", " rw", " rwm"};
	say(t, "\"%c ", "abc"[below(g, 3)]);
	for (int i = 0; i < 2; i++) {
		uint32_t lo = below(g, DEVICES), hi = lo + below(g, DEVICES - lo);
		if (below(g, 3) == 0 && !small)
			say(t, "*%s", i ? "" : ":");
		else
			say(t, "%u-%u%s", lo, hi, i ? "" : ":");
	}
	say(t, "%s\"", letters[below(g, 6)]);
}

/* What is bounded by small devices has no larger numbers to try. */
static void say_condition(struct text *t, struct rng *g, int depth)
{
	if (depth && below(g, 2)) {
		say(t, "(");
		say_condition(t, g, depth - 1);
		say(t, below(g, 2) ? " && " : " || ");
		say_condition(t, g, depth - 1);
		say(t, ")");
		return;
	}
	static const char *const others[] = {"ctx.read?", "!ctx.write?", "ctx.mknod?", "ctx.block?", "ctx.requested == 6", "ctx.requested != 2"};
	static const char *const compared[] = {"ctx.minor == ctx.uid", "ctx.uid < ctx.minor", "ctx.major * 2 > ctx.minor",
	                                       "ctx.minor == ctx.gpu", "ctx.major + ctx.minor > 3", "(ctx.minor ^ ctx.major) == 1"};
	switch (below(g, 6)) {
	case 0: say(t, "ctx.uid %s %u", below(g, 2) ? "==" : "<", below(g, 5)); break;
	case 1: say(t, "ctx.minor %s %u", below(g, 2) ? "!=" : ">=", below(g, DEVICES)); break;
	case 2: say(t, "ctx.gpu %s %u", below(g, 2) ? "==" : ">", below(g, GPU + 1)); break;
	case 3: say(t, "%s", compared[below(g, 6)]); break;
	default: say(t, "%s", others[below(g, 6)]);
	}
}

static void say_statement(struct text *t, struct rng *g, const char *word, bool may_raise)
{
	bool block = below(g, 2);
	say(t, "%s(", word);
	say_pattern(t, g, block);
	say(t, ")");
	if (block) {
		say(t, " { |ctx| ");
		if (may_raise && below(g, 4) == 0)
			say(t, "raise \"no\" if ctx.minor == %u; ", below(g, DEVICES));
		say_condition(t, g, 2);
		say(t, " }");
	}
	say(t, "\n");
}

static struct text any_policy(struct rng *g)
{
	struct text t = {.n = 0};
	say(&t, "param :gpu, %u, in: 0..%d\n", below(g, GPU + 1), GPU);
	if (below(g, 3) == 0)
		say(&t, "mode :permissive\n");
	if (below(g, 3) == 0)
		say(&t, "default :allow\n");
	for (uint32_t n = 1 + below(g, 6); n; n--)
		say_statement(&t, g, below(g, 2) ? "allow" : "deny", true);
	for (int n = 0; n < 4; n++)
		say_statement(&t, g, below(g, 2) ? "never" : "always", false);
	return t;
}

/* ---- brute force ------------------------------------------------------------------------------- */

/* Is the claim broken by this request of this caller? */
static bool breaks(struct compiled *c, const struct claim *claim, const struct request *q, int64_t gpu)
{
	int64_t at[INPUT_MAX] = {[IN_TYPE] = q->type, [IN_REQUESTED] = q->access, [IN_MAJOR] = q->major, [IN_MINOR] = q->minor,
	                         [IN_UID] = q->fact[IN_UID], [IN_PARAM_0] = gpu};
	struct decision d;
	int missing;
	bool any = false, all = true;
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1) {
		at[IN_ACCESS] = bit;
		bool hit = q->access & bit && term_eval(c->policy->terms, claim->what.match, at);
		if (q->access & bit && claim->what.block < 0) /* the reference of patterns */
			assert_int_equal(hit, pattern_matches(&claim->what.patterns[0], false, q->type, q->major, q->minor, bit));
		any |= hit;
		all &= hit || !(q->access & bit);
	}
	if (claim->always ? !all : !any)
		return false;
	c->policy->params[0].value = gpu;
	assert_int_equal(policy_decide(c->policy, &c->pd, q, &d, &missing), 0);
	return claim->always ? !d.allow : d.allow;
}

/* Every request, caller and value. */
static bool broken_somewhere(struct compiled *c, const struct claim *claim)
{
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (int set = 1; set <= ACC_ALL; set++)
			for (size_t i = 0; i < COUNT(numbers) * COUNT(numbers); i++)
				for (size_t u = 0; u < COUNT(uids); u++)
					for (int64_t gpu = 0; gpu <= GPU; gpu++) {
						struct request q = {.type = type, .access = set, .major = numbers[i / COUNT(numbers)],
						                    .minor = numbers[i % COUNT(numbers)], .known = ~(input_set)0};
						q.fact[IN_UID] = uids[u];
						if (breaks(c, claim, &q, gpu))
							return true;
					}
	return false;
}

static size_t states[CLAIM_STATES];

static void try_claim(struct compiled *c, const char *text, const struct claim *claim, const struct claim_answer *answer)
{
	states[answer->state]++;
	if (answer->state == CLAIM_FALSE) {
		struct request q = {.type = (int)answer->inputs[IN_TYPE], .access = (int)answer->inputs[IN_REQUESTED],
		                    .major = answer->inputs[IN_MAJOR], .minor = answer->inputs[IN_MINOR], .known = ~(input_set)0};
		q.fact[IN_UID] = answer->inputs[IN_UID];
		if (!breaks(c, claim, &q, answer->inputs[IN_PARAM_0]))
			fail_msg("line %d is not broken by %s:\n%s", claim->what.at.line, claim_request(c->arena, c->policy, answer), text);
	} else if (answer->state == CLAIM_HOLDS && broken_somewhere(c, claim)) {
		fail_msg("line %d does not hold:\n%s", claim->what.at.line, text);
	}
}

static void test_brute_force(void **state)
{
	(void)state;
	struct rng g = {2026};
	for (int i = 0; i < 300; i++) {
		struct text t = any_policy(&g);
		struct compiled c = {.arena = arena_new()};
		diags_init(&c.diags, c.arena);
		if (ruby_compile(c.arena, &c.diags, &host_here, "t.rb", t.s, t.n, NULL, 0, &c.ruby, &c.policy) ||
		    policy_diagram(c.policy, &c.diags, i % 2 ? ORDER_FACTS_LAST : ORDER_FACTS_FIRST, &c.pd))
			fail_msg("%s\n%s", c.diags.n ? c.diags.items[0].text : "", t.s);
		struct claim_answer answers[4];
		assert_int_equal(c.policy->nclaims, COUNT(answers));
		claims_prove(c.arena, c.policy, &c.pd, c.policy->claims, COUNT(answers), answers);
		for (size_t k = 0; k < COUNT(answers); k++)
			try_claim(&c, t.s, &c.policy->claims[k], &answers[k]);
		compiled_free(&c);
	}
	print_message("%zu claims hold, %zu are false\n", states[CLAIM_HOLDS], states[CLAIM_FALSE]);
	assert_true(states[CLAIM_HOLDS] > 300 && states[CLAIM_FALSE] > 500);
	assert_int_equal(states[CLAIM_UNKNOWN] + states[CLAIM_UNPROVEN], 0);
}

/* ---- one by one ---------------------------------------------------------------------------------- */

static const struct { const char *text; enum claim_state state; const char *request, *rest; } cases[] = {
	{"allow \"b 8:* r\"\nnever \"b *:*\"", CLAIM_FALSE, "b 8:0 r", "line 1"},
	{"allow \"b 8:* r\"\nnever \"b *:*\", access: \"w\"", CLAIM_HOLDS, NULL, NULL},
	{"allow :null, access: \"r\"\nalways :null, access: \"rw\"", CLAIM_FALSE, "c 1:3 w", "the default"},
	/* each alone is allowed, both together are not */
	{"deny { |ctx| ctx.requested == 6 }\nallow :null\nalways :null", CLAIM_FALSE, "c 1:3 rw", "line 1"},
	/* together they are, and neither alone */
	{"allow(:null) { |ctx| ctx.requested == 6 }\nnever :null, access: \"w\"", CLAIM_FALSE, "c 1:3 rw", "line 1"},
	{"allow(:null) { |ctx| ctx.requested == 6 }\nnever :null, access: \"m\"", CLAIM_HOLDS, NULL, NULL},
	/* a request without letters is not spoken of, in either way */
	{"allow(:null) { |ctx| ctx.requested == 0 }\nnever :null", CLAIM_HOLDS, NULL, NULL},
	{"deny(:null) { |ctx| ctx.requested == 0 }\nallow :null\nalways :null", CLAIM_HOLDS, NULL, NULL},
	{"mode :permissive\ndefault :deny\nalways :null", CLAIM_FALSE, "c 1:3 r", "the default"},
	{"default :allow\ndeny(:null) { |ctx| raise \"no\" if ctx.uid == 7 }\nalways :null", CLAIM_FALSE, "c 1:3 r uid=7", "raises"},
	{"default :allow\ndeny(:mem) { |ctx| raise \"no\" }\nnever :mem", CLAIM_HOLDS, NULL, NULL},
	{"allow(:mem) { |ctx| ctx.comm == \"top dog\" }\nnever :mem", CLAIM_FALSE, "c 1:1 r comm=\"top dog\"", "line 1"},
	{"allow(:mem) { |ctx| ctx.uid != 0 }\nnever :mem", CLAIM_FALSE, "c 1:1 r uid=1000", "line 1"},
	{"g = param :g, 2, in: 0..3\nallow(\"c 195:*\") { |ctx| ctx.minor == ctx.g }\nnever \"c 195:3\"", CLAIM_FALSE, "c 195:3 r", "with g=3"},
	{"g = param :g, 2\nallow \"c 195:#{g}\"\nnever \"c 195:3\"", CLAIM_HOLDS, NULL, NULL},
	/* who is asking */
	{"allow(:mem) { |ctx| ctx.exe == \"/bin/a\" && ctx.in_group?(44) }\nnever :mem", CLAIM_FALSE, "c 1:1 r exe=/bin/a groups=44", "line 1"},
	{"allow(:mem) { |ctx| ctx.capable?(:sys_rawio) }\nnever(:mem) { |ctx| !ctx.host_user_ns? }", CLAIM_HOLDS, NULL, NULL},
	{"allow(:mem) { |ctx| !ctx.capable?(:sys_rawio) }\nnever(:mem) { |ctx| !ctx.host_user_ns? }", CLAIM_FALSE, "c 1:1 r host_user_ns=no caps=none", "line 1"},
	{"allow(:mem) { |ctx| ctx.under?(\"/a/b\") }\nnever(:mem) { |ctx| ctx.under?(\"/c\") || !ctx.under?(\"/a\") }", CLAIM_HOLDS, NULL, NULL},
	{"allow(:mem) { |ctx| ctx.under?(\"/a\") }\nnever(:mem) { |ctx| ctx.under?(\"/a/b\") }", CLAIM_FALSE, "c 1:1 r cgroup=/a/b", "line 1"},
	{"allow(:mem) { |ctx| ctx.exe }\nnever(:mem) { |ctx| ctx.kernel_thread? && ctx.exe == \"/bin/a\" }", CLAIM_HOLDS, NULL, NULL},
	{"allow(:mem) { |ctx| ctx.exe != \"/bin/a\" }\nnever :mem", CLAIM_FALSE, "c 1:1 r exe=-", "line 1"},
	{"allow(:mem) { |ctx| ctx.login_uid.nil? }\nnever :mem", CLAIM_FALSE, "c 1:1 r login_uid=none", "line 1"},
	/* of two inputs, refuted box by box */
	{"allow(\"c 9:*\") { |ctx| ctx.minor == ctx.uid }\nnever(\"c 9:*\") { |ctx| ctx.uid < ctx.minor }", CLAIM_HOLDS, NULL, NULL},
	{"allow { |ctx| ctx.minor > ctx.major * 3 }\nnever(\"a *:*\") { |ctx| ctx.minor + 5 < ctx.major }", CLAIM_HOLDS, NULL, NULL},
	{"allow { |ctx| ctx.minor > ctx.major * 3 }\nnever(\"a *:*\") { |ctx| ctx.minor == 70 && ctx.major > 22 }", CLAIM_FALSE, "b 23:70 r", "line 1"},
	{"allow { |ctx| ctx.pid * ctx.pid % 1000003 == ctx.minor * 7919 % 999983 + 2000000 }\nnever \"c *:*\"", CLAIM_HOLDS, NULL, NULL},
	{"allow { |ctx| ctx.pid * ctx.tid == ctx.gid * 2 + 7919 * 104729 && ctx.gid < 2 && ctx.pid > 1 && ctx.tid > 1 }\nnever \"c 9:1\"", CLAIM_UNPROVEN, NULL, NULL},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct compiled c = compiled_of(cases[i].text);
		struct claim_answer answer;
		assert_int_equal(c.policy->nclaims, 1);
		claims_prove(c.arena, c.policy, &c.pd, c.policy->claims, 1, &answer);
		if (answer.state != cases[i].state)
			fail_msg("state %d, not %d:\n%s", answer.state, cases[i].state, cases[i].text);
		size_t before = c.diags.n;
		claim_tell(&c.diags, c.policy, &c.policy->claims[0], &answer);
		assert_int_equal(c.diags.n - before, answer.state != CLAIM_HOLDS);
		if (answer.state == CLAIM_FALSE) {
			same_text(cases[i].text, claim_request(c.arena, c.policy, &answer), cases[i].request);
			if (!strstr(c.diags.items[before].text, cases[i].rest))
				fail_msg("%s: not said: %s", c.diags.items[before].text, cases[i].rest);
		}
		compiled_free(&c);
	}
}

/* A value behind the parameters is not understood. */
static void test_unknown(void **state)
{
	(void)state;
	struct compiled c = compiled_of("allow \"b 8:0\"\nallow \"b 9:0\"\nallow \"c 1:3\"\n"
	                                "never \"b 8:*\"\nnever \"b 9:*\"\nalways \"c 1:3\"\nnever \"b 7:*\"\nnever \"b 8-9:*\"");
	struct policy *p = c.policy;
	terms_param(p->terms, IN_PARAM_0, "a value of map 7", INT64_MIN, INT64_MAX);
	term is_5 = term_eq(p->terms, term_input(p->terms, IN_PARAM_0), term_const(p->terms, 5));
	term below_uid = term_lt(p->terms, term_input(p->terms, IN_PARAM_0), term_input(p->terms, IN_UID));
	p->rules[0].match = term_and(p->terms, p->rules[0].match, is_5);
	p->rules[2].match = term_and(p->terms, p->rules[2].match, below_uid);
	assert_int_equal(policy_diagram_any(p, &c.diags, &c.pd), 0);
	static const enum claim_state want[] = {CLAIM_UNKNOWN, CLAIM_FALSE, CLAIM_UNKNOWN, CLAIM_HOLDS, CLAIM_FALSE};
	struct claim_answer answers[COUNT(want)];
	claims_prove(c.arena, p, &c.pd, p->claims, COUNT(want), answers);
	for (size_t i = 0; i < COUNT(want); i++)
		assert_int_equal(answers[i].state, want[i]);
	same_text("on", answers[0].on, "a value of map 7");
	assert_int_equal(answers[4].inputs[IN_MAJOR], 9);
	claim_tell(&c.diags, p, &p->claims[0], &answers[0]);
	assert_non_null(strstr(c.diags.items[c.diags.n - 1].text, "cannot tell whether this claim holds"));
	compiled_free(&c);
}

/* Claims of terms of their own. */
static void test_brought(void **state)
{
	(void)state;
	struct compiled c = compiled_of("allow(\"c 9:*\") { |ctx| ctx.uid == 3 || ctx.minor == 2 }");
	struct compiled of = compiled_of("never(\"c *:*\") { |ctx| ctx.uid != 3 && ctx.minor * 2 % 3 != 1 }\nnever(\"c 9:2\") { |ctx| ctx.uid == 4 }");
	static const enum claim_state want[] = {CLAIM_HOLDS, CLAIM_FALSE};
	struct claim_answer answers[COUNT(want)];
	for (size_t i = 0; i < COUNT(want); i++)
		of.policy->claims[i].what.match = term_brought(c.policy->terms, of.policy->terms, of.policy->claims[i].what.match, NULL);
	claims_prove(c.arena, c.policy, &c.pd, of.policy->claims, COUNT(want), answers);
	for (size_t i = 0; i < COUNT(want); i++)
		assert_int_equal(answers[i].state, want[i]);
	compiled_free(&of);
	compiled_free(&c);
}

static void test_lint(void **state)
{
	(void)state;
	struct compiled c = compiled_of("default :deny\nnever(\"c 9:*\") { |ctx| ctx.major == 8 }\nnever :null\nalways(:null) { |ctx| ctx.char? && ctx.block? }\n"
	                                "never \"c 1:3 rwm\"\nnever \"/dev/nothing-here\", missing: :skip");
	struct claim_answer answers[5];
	size_t before = c.diags.n;
	claims_prove(c.arena, c.policy, &c.pd, c.policy->claims, 5, answers);
	lint_claims(&c.diags, c.policy->claims, 5, answers);
	assert_int_equal(c.diags.n - before, 3);
	static const int lines[] = {2, 4, 5};
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(c.diags.items[before + i].at.line, lines[i]);
	same_text("same", c.diags.items[before + 2].text, "line 3 claims the same");
	compiled_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_brute_force), cmocka_unit_test(test_cases), cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_brought),     cmocka_unit_test(test_lint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
