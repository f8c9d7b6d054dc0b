/* Long files: read in pieces, their lines found by an index, and nothing else than
 * what mruby makes of them at once. */
#include "tests/unit/compiled.h"

#include "compiler/ruby/ruby.h"

#include <stdio.h>

/* A text of `n` lines, each made by a line of printf with its number twice. */
static char *lines_of(const char *head, const char *line, int n, const char *tail)
{
	size_t room = strlen(head) + (size_t)n * (strlen(line) + 32) + strlen(tail) + 1;
	char *text = malloc(room), *at = text + sprintf(text, "%s", head);
	for (int i = 0; i < n; i++)
		at += sprintf(at, line, i % 4096, i);
	strcpy(at, tail);
	return text;
}

/* mruby's answer for every instruction of an irep and those in it. */
static size_t same_lines(struct interpreter *rb, const mrb_irep *irep)
{
	struct insn in;
	size_t n = 0;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next, n++)
		assert_int_equal(irep_line(rb, irep, pc), mrb_debug_get_line(rb->mrb, irep, pc));
	for (int i = 0; i < irep->rlen; i++)
		n += same_lines(rb, irep->reps[i]);
	return n;
}

/* Loops, whose conditions stand behind what they guard, go back in the lines. */
static void every_instruction(void **state)
{
	(void)state;
	char *text = lines_of("i = 0\nwhile\n i < 2\n i += 1\nend\n",
	                      "m = [%d].first\nallow { |c| c.major == m &&\n c.minor == %d }\n", 700, "");
	struct compiled c = compiled_of(text);
	assert_true(same_lines(&c.ruby->rb, mrb_proc_ptr(c.ruby->said.blocks[0].proc)->upper->body.irep) > 10000);
	assert_int_equal(c.policy->rules[699].at.line, 5 + 3 * 699 + 2);
	compiled_free(&c);
	free(text);
}

/* Each rule has its line, however the file was cut. */
static void rules_have_lines(void **state)
{
	static const struct { const char *head, *line; int first, step; } of[] = {
		{"", "allow \"c %d:%d rw\"\n", 1, 1},
		{"policy \"x\"\n\n# text\n", "deny  \"c %d:%d\", access: \"w\" # why\n", 4, 1},
		{"d = \"c 1:3\"\n", "allow d, \"c %d:%d rw\"\n", 2, 1},
		{"n = 7\n", "allow(label: \"the %d\") { |c| c.major == n && c.minor == %d }\n", 2, 1},
		{"def dev(x, y) = allow(\"c #{x}:#{y}\")\n", "dev %d, %d\n", 1, 0},
		{"", "allow \"c %d:1\",\n  \"c 1:%d\"\n", 1, 2},
		{"", "text = <<TEXT\nallow :null\nTEXT\nallow \"c %d:%d\"\n", 4, 4},
		{"", "=begin\nallow :null\n=end\nallow \"c %d:%d\" \\\nif true\n", 4, 5},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(of); i++) {
		char *text = lines_of(of[i].head, of[i].line, 1500, "");
		struct compiled c = compiled_of(text);
		assert_int_equal(c.policy->nrules, 1500);
		for (int k = 0; k < 1500; k++)
			assert_int_equal(c.policy->rules[k].at.line, of[i].first + k * of[i].step);
		compiled_free(&c);
		free(text);
	}
}

/* The pieces of a text: no statement list that mruby walks is longer than a piece. */
static void cut(void **state)
{
	static const struct { const char *head, *line, *tail; size_t least, most; } of[] = {
		{"", "allow \"c %d:%d rw\"\n", "", 8, 8},
		{"", "allow { |c| c.major == %d && c.minor == %d }\n", "", 8, 8},
		{"if true\n", "allow \"c %d:%d rw\"\n", "end\n", 1, 1}, /* one statement */
		{"", "allow \"c %d:%d rw\"\n", "__END__\nand so on\n", 1, 1},
	};
	for (size_t i = 0; i < COUNT(of); i++) {
		char *text = lines_of(of[i].head, of[i].line, 2000, of[i].tail);
		struct compiled c = compiled_of("default :deny\n");
		struct interpreter rb = c.ruby->rb;
		struct pieces pieces = {0};
		mrbc_context *cx = mrbc_context_new(rb.mrb);
		(void)state;
		cx->capture_errors = TRUE;
		struct source source = {.file = "t.rb", .text = text, .len = strlen(text)};
		rb.source = &source;
		assert_non_null(pieces_parse(&rb, cx, &pieces));
		assert_in_range(pieces.n, of[i].least, of[i].most);
		pieces_free(&pieces);
		mrbc_context_free(rb.mrb, cx);
		compiled_free(&c);
		free(text);
	}
}

/* An error far down is told with its line, as if the text was read at once. */
static void errors_have_lines(void **state)
{
	static const struct { const char *tail, *text; int line; } of[] = {
		{"allow \"c 1:3 rw\nallow :null\n", "unterminated string", 2003},
		{"allow )\n", "syntax error", 2001},
		{"allow \"c 1:3 rw\"\nx = 1\nallow \"oops\"\n", "oops", 2003},
		{"allow { |c| c.majr == 1 }\n", "majr", 2001},
		{"allow \"c 1:3\" do |c|\n  c.minor == oops\nend\n", "oops", 2002},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(of); i++) {
		char *text = lines_of("", "allow \"c %d:%d rw\"\n", 2000, of[i].tail);
		struct arena *a = arena_new();
		struct diags d;
		struct ruby *ruby;
		struct policy *policy;
		diags_init(&d, a);
		assert_int_equal(ruby_compile(a, &d, &host_here, "t.rb", text, strlen(text), NULL, 0, &ruby, &policy), -1);
		assert_non_null(strstr(d.items[0].text, of[i].text));
		assert_int_equal(d.items[0].at.line, of[i].line);
		arena_free(a);
		free(text);
	}
}

/* What could tell a lambda from the file's own level is never put into one. */
static void nothing_vanishes(void **state)
{
	(void)state;
	char *text = lines_of("class Proc\n def call = nil\nend\n", "allow \"c %d:%d rw\"\n", 1500, "");
	struct compiled c = compiled_of(text);
	assert_int_equal(c.policy->nrules, 1500);
	compiled_free(&c);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_instruction), cmocka_unit_test(rules_have_lines), cmocka_unit_test(cut),
		cmocka_unit_test(errors_have_lines), cmocka_unit_test(nothing_vanishes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
