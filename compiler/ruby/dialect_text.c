/*
 * dialect_text.c - what mruby's parser has dropped, and only the text still shows.
 *
 * Whether a place found in the text is code, or stands in a comment or a string, the
 * parser itself is asked: a `)` put there is a syntax error in code and nowhere else.
 */
#include "compiler/ruby/differences.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c > 127;
}

/* Does the text parse with a `)` put at an offset? */
static bool parses_with(struct interpreter *rb, size_t at)
{
	mrbc_context *cx = mrbc_context_new(rb->mrb);
	char *text = arena_alloc(rb->arena, rb->source->len + 3);
	memcpy(text, rb->source->text, at);
	memcpy(text + at, " )", 2);
	memcpy(text + at + 2, rb->source->text + at, rb->source->len - at);
	cx->capture_errors = TRUE;
	struct mrb_parser_state *p = mrb_parse_nstring(rb->mrb, text, rb->source->len + 2, cx);
	bool good = p && !p->nerr;
	if (p)
		mrb_parser_free(p);
	mrbc_context_free(rb->mrb, cx);
	return good;
}

static int line_at(const struct interpreter *rb, size_t at)
{
	int line = 1;
	for (size_t i = 0; i < at; i++)
		line += rb->source->text[i] == '\n';
	return line;
}

/* `end while` at an offset: where the word after `end` begins, or 0. */
static size_t loop_after_end(const struct interpreter *rb, size_t i)
{
	const char *s = rb->source->text;
	size_t at = i + 3;
	if (rb->source->len - i < 9 || memcmp(s + i, "end", 3) || (i && is_word(s[i - 1])))
		return 0;
	while (at < rb->source->len && (strchr(" \t\f\v\r", s[at]) || (s[at] == '\\' && at + 1 < rb->source->len && strchr("\r\n", s[at + 1])) ||
	                        (s[at] == '\n' && (s[at - 1] == '\\' || (s[at - 1] == '\r' && s[at - 2] == '\\')))))
		at++;
	if (at == i + 3 || rb->source->len - at < 5 || (memcmp(s + at, "while", 5) && memcmp(s + at, "until", 5)) ||
	    (rb->source->len - at > 5 && is_word(s[at + 5])))
		return 0;
	return at;
}

/* A comma before the bar that ends a block's parameters: where the bar is, or 0. */
static size_t comma_before_bar(const struct interpreter *rb, size_t i)
{
	size_t at = i + 1;
	if (rb->source->text[i] != ',')
		return 0;
	while (at < rb->source->len && isspace((unsigned char)rb->source->text[at]))
		at++;
	return at < rb->source->len && rb->source->text[at] == '|' ? at : 0;
}

/* A decimal that mruby does not read as the nearest Float: where it begins, or SIZE_MAX. */
static bool inexact_decimal(const struct interpreter *rb, size_t i)
{
	const char *s = rb->source->text;
	char plain[128];
	size_t n = 0, at = i;
	if (!isdigit((unsigned char)s[i]) || (i && (is_word(s[i - 1]) || s[i - 1] == '.')))
		return false;
	while (at < rb->source->len && n + 1 < sizeof plain &&
	       (isdigit((unsigned char)s[at]) || s[at] == '_' || s[at] == 'e' || s[at] == 'E' ||
	        (s[at] == '.' && at + 1 < rb->source->len && isdigit((unsigned char)s[at + 1])) ||
	        (strchr("+-", s[at]) && at > i && strchr("eE", s[at - 1])))) {
		if (s[at] != '_')
			plain[n++] = s[at];
		at++;
	}
	plain[n] = 0;
	if (!strpbrk(plain, ".eE") || strchr(plain, 'x'))
		return false;
	double read = mrb_str_to_dbl(rb->mrb, mrb_str_new_cstr(rb->mrb, plain), FALSE);
	return n + 1 == sizeof plain || strtod(plain, NULL) != mrb_float(mrb_float_value(rb->mrb, read));
}

/* `{**hash}`: where the stars are, or 0. */
static size_t only_splat(const struct interpreter *rb, size_t i)
{
	size_t at = i + 1;
	while (at < rb->source->len && isspace((unsigned char)rb->source->text[at]))
		at++;
	if (rb->source->text[i] != '{' || rb->source->len - at < 2 || memcmp(rb->source->text + at, "**", 2))
		return 0;
	int depth = 0;
	for (size_t k = at; k < rb->source->len && (depth || rb->source->text[k] != '}'); k++) {
		if (!depth && rb->source->text[k] == ',')
			return 0;
		depth += strchr("([{", rb->source->text[k]) ? 1 : strchr(")]}", rb->source->text[k]) ? -1 : 0;
	}
	return at;
}

static void read_places(struct interpreter *rb)
{
	for (size_t i = 0; i < rb->source->len; i++) {
		size_t at;
		int ai = mrb_gc_arena_save(rb->mrb);
		if ((at = loop_after_end(rb, i)) && !parses_with(rb, at))
			ruby_refuse(rb, line_at(rb, at),
			       "write `loop do ... break unless CONDITION; end`, or `while CONDITION ... end` to test first",
			       "`begin ... end while` tests first in mruby, last in Ruby");
		else if ((at = comma_before_bar(rb, i)) && !parses_with(rb, at))
			ruby_refuse(rb, line_at(rb, at), "write { |x, *| ... }, or take the element: x[0]",
			       "a comma before the `|` of a block's parameters, which mruby passes over");
		else if ((at = only_splat(rb, i)) && !parses_with(rb, at))
			ruby_refuse(rb, line_at(rb, at), "write hash.dup", "`{**hash}` alone is the hash itself in mruby, a copy in Ruby");
		else if (inexact_decimal(rb, i) && !parses_with(rb, i))
			ruby_refuse(rb, line_at(rb, i), "use Integers: compare x * 10 with 3, not x with 0.3",
			       "a decimal that mruby holds with fewer digits than Ruby");
		mrb_gc_arena_restore(rb->mrb, ai);
	}
}

/* `# frozen_string_literal: true` among the comments that the file begins with. */
static bool has_frozen_literals(const struct interpreter *rb)
{
	static const char key[] = "frozen_string_literal:";
	const char *s = rb->source->text, *end = rb->source->text + rb->source->len;
	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s)), *stop = nl ? nl : end;
		while (s < stop && isspace((unsigned char)*s))
			s++;
		if (s < stop && *s != '#')
			return false;
		for (; s + sizeof key + 3 < stop + 1; s++)
			if (!strncasecmp(s, "frozen", 6) && (s[6] == '_' || s[6] == '-') && !strncasecmp(s + 7, "string", 6) &&
			    (s[13] == '_' || s[13] == '-') && !strncasecmp(s + 14, "literal:", 8)) {
				const char *value = s + 22;
				while (value < stop && isspace((unsigned char)*value))
					value++;
				return stop - value >= 4 && !strncasecmp(value, "true", 4);
			}
		s = stop + (nl != NULL);
	}
	return false;
}

void dialect_text(struct interpreter *rb)
{
	if (has_frozen_literals(rb))
		differences_frozen(rb);
	read_places(rb);
}
