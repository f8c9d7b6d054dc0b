/* What a compilation costs, as counts: bytes, nodes, terms. Twice as much of a policy may
 * cost little more than twice as much. */
#include "tests/unit/compiled.h"

#include <stdio.h>

struct cost { size_t bytes, terms, nodes, insns; };

/* A text of n lines by a line of printf with two numbers that differ for each. */
static char *text_of(const char *head, const char *line, int n, const char *tail)
{
	char *text = malloc(strlen(head) + (size_t)n * (strlen(line) + 32) + strlen(tail) + 1);
	char *at = text + sprintf(text, "%s", head);
	for (int i = 0; i < n; i++)
		at += sprintf(at, line, i * 37 % 4096, i * 7919 % 1048576);
	strcpy(at, tail);
	return text;
}

static struct cost cost_of(const char *text, enum audit_level audit)
{
	struct cost cost;
	struct arena *a = arena_new();
	struct diags d;
	struct ruby *ruby;
	struct policy *p;
	struct policy_diagram pd;
	struct image image;
	diags_init(&d, a);
	if (ruby_compile(a, &d, &host_here, "t.rb", text, strlen(text), NULL, 0, &ruby, &p))
		fail_msg("%s", d.items[0].text);
	p->audit = audit;
	if (compile_policy(p, &d, &pd, &image))
		fail_msg("%s", d.items[0].text);
	cost = (struct cost){arena_size(a), terms_count(p->terms), diagram_nodes(pd.dg), image.ninsns};
	ruby_close(ruby);
	arena_free(a);
	return cost;
}

static void linear(const char *head, const char *line, int n, const char *tail)
{
	char *one = text_of(head, line, n, tail), *two = text_of(head, line, 2 * n, tail);
	struct cost x = cost_of(one, AUDIT_NONE), y = cost_of(two, AUDIT_NONE);
	if (y.bytes > 5 * x.bytes / 2 || y.terms > 5 * x.terms / 2 || y.nodes > 5 * x.nodes / 2)
		fail_msg("%s: bytes %zu to %zu, terms %zu to %zu, nodes %zu to %zu", line, x.bytes, y.bytes,
		         x.terms, y.terms, x.nodes, y.nodes);
	free(one);
	free(two);
}

static void twice(void **state)
{
	(void)state;
	linear("", "allow \"c %d:%d rw\"\n", 2000, "");
	linear("", "deny(label: \"n\") { |c| c.major == %d && c.minor == %d }\n", 2000, "");
	linear("T = {\n", "[%d, %d].max => [1, 3],\n", 1000, "}\nallow { |c| (T[c.minor] || []).include?(c.major) }\n");
	linear("T = {\n", "[%d, %d].max => [1, 3],\n", 1000, "}\nallow { |c| T.key?(c.minor) && T[c.minor].include?(c.major) }\n");
	linear("T = {\n", "[%d, %d].max => [1, 3],\n", 1000, "}\nallow { |c| a = T[c.minor]\n if a\n a.include?(c.major)\n end }\n");
	linear("T = [\n", "%d + %d,\n", 1000, "]\nallow { |c| T.include?(c.minor) }\n");
	linear("allow { |c| case c.minor\n", "when %d + %d then c.major == 1\n", 200, "end }\n");
}

/* A table of arrays costs what a flat table does. */
static void table_of_tables(void **state)
{
	(void)state;
	char *deep = text_of("T = {\n", "%d * 1024 + %d %% 1024 => [1, 3],\n", 2000,
	                     "}\nallow { |c| (T[c.minor] || []).include?(c.major) }\n");
	struct cost x = cost_of(deep, AUDIT_NONE);
	assert_true(x.terms < 80000);
	assert_true(x.bytes < (size_t)64 << 20);
	free(deep);
}

/* Only what is used is kept of the diagrams: 20,000 scattered rules. */
static void dead_nodes(void **state)
{
	(void)state;
	char *text = text_of("", "allow \"c %d:%d rw\"\n", 20000, "");
	struct cost x = cost_of(text, AUDIT_NONE);
	assert_true(x.nodes < 60000);
	assert_true(x.bytes < (size_t)128 << 20);
	free(text);
}

/* A program that reports is proven in two parts, with hardly more memory than one that does not. */
static void reports(void **state)
{
	(void)state;
	char *text = text_of("", "allow \"c %d:%d rw\"\n", 1500, "allow { |c| c.major == 5 && c.write? }\n");
	struct cost plain = cost_of(text, AUDIT_NONE), audited = cost_of(text, AUDIT_DENIED);
	assert_true(audited.nodes < 4 * plain.nodes);
	assert_true(audited.bytes < 4 * plain.bytes);
	free(text);
}

/* Facts first is out of proportion here, since a device has one fact that matters, facts
 * last is small: the one is given up long before it is told. */
static void orders(void **state)
{
	(void)state;
	char *text = text_of("", "->(a, b) {\n"
	                         " allow { |c| c.major == a && c.uid == b }\n"
	                         " allow { |c| c.major == a && c.gid < b && c.minor == 1 }\n"
	                         " allow { |c| c.major == a && c.pid > b && c.minor == 2 }\n"
	                         " allow { |c| c.major == a && c.comm == \"x\" + b.to_s && c.minor == 3 }\n"
	                         "}.(%d, %d)\n", 100, "");
	struct cost x = cost_of(text, AUDIT_NONE);
	assert_true(x.nodes < 20000);
	assert_true(x.bytes < (size_t)16 << 20);
	free(text);
}

static const char *const HOPELESS =
	"64.times { |i|\n"
	"  allow { |ctx| (ctx.minor ^ ctx.uid) & (1 << (i % 20)) != 0 && (ctx.major * i) % 7 == 3 } }\n";

/* What has no small diagram is refused at the rule that was too much, within its memory. */
static void refused(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags d;
	struct ruby *ruby;
	struct policy *p;
	struct policy_diagram pd;
	struct image image;
	char text[512];
	snprintf(text, sizeof text, "\nallow :null\n%s", HOPELESS);
	diags_init(&d, a);
	assert_int_equal(ruby_compile(a, &d, &host_here, "t.rb", text, strlen(text), NULL, 0, &ruby, &p), 0);
	size_t before = arena_size(a);
	assert_int_equal(compile_policy(p, &d, &pd, &image), -1);
	assert_int_equal(d.errors, 1);
	assert_int_equal(d.items[d.n - 1].at.line, 4);
	assert_non_null(strstr(d.items[d.n - 1].text, "while building the decision diagram, at this rule"));
	assert_non_null(strstr(d.items[d.n - 1].source, "ctx.minor ^ ctx.uid"));
	assert_non_null(d.items[d.n - 1].hint);
	assert_true(arena_size(a) - before < 1 << 20); /* what was built is gone */
	ruby_close(ruby);
	arena_free(a);
}

/* ---- memory --------------------------------------------------------------------------- */

static void scratch(void **state)
{
	(void)state;
	struct arena *a = arena_new(), *s = arena_scratch(a), *t = arena_scratch(s);
	memset(arena_alloc(a, 100), 1, 100);
	size_t before = arena_size(a);
	memset(arena_alloc(s, 3 << 20), 1, 3 << 20);
	memset(arena_alloc(t, 100), 1, 100);
	assert_true(arena_size(a) > before + (3 << 20));
	arena_free(s); /* and t */
	assert_int_equal(arena_size(a), before);
	s = arena_scratch(a);
	memset(arena_alloc(s, 100), 1, 100);
	arena_free(a); /* and s */
}

/* Running out is the parent's business. */
static void scratch_fails(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	jmp_buf handler;
	arena_catch(a, &handler);
	if (!setjmp(handler)) {
		arena_alloc(arena_scratch(arena_scratch(a)), SIZE_MAX / 2);
		fail_msg("allocated");
	}
	arena_free(a);
}

/* An array that moves leaves nothing behind, and keeps what it has. */
static void moving(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	int *list = NULL;
	size_t n = 0, cap = 0;
	for (int i = 0; i < 3000000; i++) {
		*ARENA_APPEND(a, list, n, cap) = i;
		if (i % 1000 == 0)
			arena_alloc(a, 8);
	}
	for (int i = 0; i < 3000000; i++)
		assert_int_equal(list[i], i);
	for (size_t i = n; i < cap; i++)
		assert_int_equal(list[i], 0);
	assert_true(arena_size(a) < cap * sizeof *list + (2 << 20));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice), cmocka_unit_test(table_of_tables), cmocka_unit_test(dead_nodes),
		cmocka_unit_test(reports), cmocka_unit_test(orders), cmocka_unit_test(refused),
		cmocka_unit_test(scratch), cmocka_unit_test(scratch_fails), cmocka_unit_test(moving),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
