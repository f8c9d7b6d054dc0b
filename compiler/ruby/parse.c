/*
 * parse.c - the text of a file to its code, or what mruby says of it.
 *
 * Messages of newer mrubies get the words of 3.1, and each has a hint.
 */
#include "compiler/ruby/ruby.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 10 }; /* as many as mruby keeps */

/* Splits "FILE:LINE: what": the line (0 = none) apart. */
static const char *place_said(struct interpreter *rb, const char *text, int *line)
{
	size_t n = strlen(rb->source->file);
	const char *colon = strrchr(text, ':');
	*line = !strncmp(text, rb->source->file, n) && text[n] == ':' ? atoi(text + n + 1) : 0;
	return arena_strdup(rb->arena, colon ? colon + 1 + (colon[1] == ' ') : text);
}

static FILE *memory_stream(struct arena *a, char *text, size_t size)
{
	FILE *f = fmemopen(text, size, "w");
	if (!f)
		arena_fail(a);
	return f;
}

/* Code generation complains on stderr: what it says is caught in a stream of memory, for
 * which the C library needs no system call. */
static struct RProc *generate(struct interpreter *rb, struct mrb_parser_state *parser, int *line, const char **said)
{
	char text[512] = "";
	FILE *kept = stderr, *memory = memory_stream(rb->arena, text, sizeof text);
	stderr = memory;
	struct RProc *proc = mrb_generate_code(rb->mrb, parser);
	stderr = kept;
	fclose(memory);
	text[sizeof text - 1] = 0;
	text[strcspn(text, "\n")] = 0;
	*said = place_said(rb, text, line);
	return proc;
}

/* A rule of devices alone: no block begins on its line. */
static bool is_device_rule(const char *line)
{
	if (!line)
		return false;
	line += strspn(line, " \t");
	return (!strncmp(line, "allow ", 6) || !strncmp(line, "deny ", 5)) && !strchr(line, '{') &&
	       !strstr(line, " do");
}

static const char *syntax_hint(const char *message, const char *line)
{
	if (strstr(message, "unexpected end of file") || strstr(message, "unexpected $end"))
		return "an `end`, `}` or `)` is missing, or a line ends in a comma or operator";
	if (strstr(message, "regexp"))
		return "a path is a string: allow \"/dev/null\"";
	if (strstr(message, "yield"))
		return "a rule's block is given no block to call: leave it out";
	if (strstr(message, "octal"))
		return "a number that begins with 0 is octal: write it without the 0";
	if (is_device_rule(line))
		return "devices are strings and symbols, with commas between: allow \"c 1:3 rw\", :null";
	return "a policy is Ruby: rules look like  allow { |ctx| ctx.char? && ctx.major == 1 }";
}

/* Newer parsers' words for what they did not expect, as mruby 3.1 has them. */
static const char *syntax_text(struct interpreter *rb, const char *text)
{
	static const struct { const char *newer, *word; } words[] = {
		{"end of file", "$end"}, {"\"'alis'\"", "keyword_alias"}, {"\"'do' for condition\"", "keyword_do_cond"},
		{"\"'do' for block\"", "keyword_do_block"}, {"\"'do' for lambda\"", "keyword_do_LAMBDA"}};
	const char *at = text;
	if (!strstr(text, "unexpected"))
		return text;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		while ((at = strstr(text, words[i].newer)))
			text = arena_printf(rb->arena, "%.*s%s%s", (int)(at - text), text, words[i].word, at + strlen(words[i].newer));
	while ((at = strstr(text, "\"'"))) { /* "'if'" and "'if' modifier" */
		int n = (int)strcspn(at + 2, "'");
		const char *rest = at + 2 + n + (at[2 + n] != 0), *end = rest + strcspn(rest, "\"");
		text = arena_printf(rb->arena, "%.*s%s_%.*s%s", (int)(at - text), text, end > rest ? "modifier" : "keyword",
		                    n, at + 2, end + (*end != 0));
	}
	return text;
}

/* The first errors: those behind the first may only follow from it. */
static void report_syntax(struct interpreter *rb, const struct mrb_parser_state *parser)
{
	for (size_t i = 0; i < parser->nerr && i < MESSAGES; i++) {
		const struct mrb_parser_message *m = &parser->error_buffer[i];
		ruby_refuse(rb, m->lineno,
		            i ? "correct what is above first: this may only follow from it"
		              : syntax_hint(m->message, ruby_source_line(rb, m->lineno)),
		            syntax_text(rb, m->message));
	}
}

static void report_warnings(struct interpreter *rb, const struct mrb_parser_state *parser)
{
	for (size_t i = 0; i < parser->nwarn && i < MESSAGES; i++)
		ruby_report(rb, DIAG_WARNING, ruby_at(rb, parser->warn_buffer[i].lineno),
		            "mruby's parser says so: add parentheses", parser->warn_buffer[i].message);
}

static void report_generator(struct interpreter *rb, int line, const char *said)
{
	const char *hint = strstr(said, "complex") || strstr(said, "too")
		? "make several rules of it, or look the value up: [1, 2, 3].include?(ctx.minor)" : syntax_hint(said, NULL);
	ruby_refuse(rb, line, hint, *said ? arena_printf(rb->arena, "mruby cannot compile this: %s", said)
	                                  : "mruby cannot compile this");
}

/* A syntax tree to code. */
static struct RProc *compile_tree(struct interpreter *rb, struct mrb_parser_state *parser)
{
	const char *said;
	int line;
	report_warnings(rb, parser);
	struct RProc *proc = generate(rb, parser, &line, &said);
	if (!proc)
		report_generator(rb, line, said);
	return proc;
}

struct RProc *parse_source(struct interpreter *rb)
{
	mrbc_context *cx = mrbc_context_new(rb->mrb);
	cx->capture_errors = TRUE;
	cx->lineno = 1;
	mrbc_filename(rb->mrb, cx, rb->source->file);
	struct pieces pieces = {0};
	struct mrb_parser_state *parser = pieces_parse(rb, cx, &pieces);
	struct RProc *proc = NULL;
	if (!parser)
		ruby_refuse(rb, 0, "the file is too large or too deeply nested", "mruby cannot parse this");
	else if (parser->nerr)
		report_syntax(rb, parser);
	else
		proc = compile_tree(rb, parser);
	pieces_free(&pieces);
	mrbc_context_free(rb->mrb, cx);
	return proc;
}
