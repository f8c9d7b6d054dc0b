/*
 * dialect_text.c - what mruby's parser has dropped, and only the text still shows.
 *
 * Whether a place found in the text is code, or stands in a comment or a string, the
 * parser itself is asked: a `)` put there is a syntax error in code and nowhere else.
 */
#include "compiler/ruby/differences.h"
#include "compiler/ruby/ruby.h"

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
	const struct source *t = rb->source;
	mrbc_context *cx = mrbc_context_new(rb->mrb);
	char *text = arena_alloc(rb->arena, t->len + 3);
	memcpy(text, t->text, at);
	memcpy(text + at, " )", 2);
	memcpy(text + at + 2, t->text + at, t->len - at);
	cx->capture_errors = TRUE;
	struct mrb_parser_state *p = mrb_parse_nstring(rb->mrb, text, t->len + 2, cx);
	bool good = p && !p->nerr;
	if (p)
		mrb_parser_free(p);
	mrbc_context_free(rb->mrb, cx);
	return good;
}

static int line_at(const struct source *t, size_t at)
{
	int line = 1;
	for (size_t i = 0; i < at; i++)
		line += t->text[i] == '\n';
	return line;
}

/* ---- places in a text ------------------------------------------------------------------- */

/* Does the word stand at an offset, and is no part of a longer one? */
static bool word_at(const struct source *t, size_t at, const char *word)
{
	size_t n = strlen(word);
	return t->len - at >= n && !memcmp(t->text + at, word, n) && !(at && is_word(t->text[at - 1])) &&
	       !(t->len - at > n && is_word(t->text[at + n]));
}

/* White space on a line, or where a line goes on with the next. */
static bool is_gap(const struct source *t, size_t at)
{
	const char *s = t->text + at;
	if (*s == '\\')
		return at + 1 < t->len && strchr("\r\n", s[1]);
	if (*s == '\n')
		return s[-1] == '\\' || (s[-1] == '\r' && s[-2] == '\\');
	return strchr(" \t\f\v\r", *s);
}

/* `end while` at an offset: where the word after `end` begins, or 0. */
static size_t loop_after_end(const struct source *t, size_t i)
{
	size_t at = i + 3;
	if (!word_at(t, i, "end"))
		return 0;
	while (at < t->len && is_gap(t, at))
		at++;
	return word_at(t, at, "while") || word_at(t, at, "until") ? at : 0;
}

/* A comma before the bar that ends a block's parameters: where the bar is, or 0. */
static size_t comma_before_bar(const struct source *t, size_t i)
{
	size_t at = i + 1;
	if (t->text[i] != ',')
		return 0;
	while (at < t->len && isspace((unsigned char)t->text[at]))
		at++;
	return at < t->len && t->text[at] == '|' ? at : 0;
}

/* `{**hash}`: where the stars are, or 0. */
static size_t only_splat(const struct source *t, size_t i)
{
	size_t at = i + 1;
	while (at < t->len && isspace((unsigned char)t->text[at]))
		at++;
	if (t->text[i] != '{' || t->len - at < 2 || memcmp(t->text + at, "**", 2))
		return 0;
	int depth = 0;
	for (size_t k = at; k < t->len && (depth || t->text[k] != '}'); k++) {
		if (!depth && t->text[k] == ',')
			return 0;
		depth += strchr("([{", t->text[k]) ? 1 : strchr(")]}", t->text[k]) ? -1 : 0;
	}
	return at;
}

/* Does a decimal that begins at an offset go on at another one? */
static bool is_decimal(const struct source *t, size_t begin, size_t at)
{
	const char *s = t->text + at;
	if (isdigit((unsigned char)*s) || *s == '_' || *s == 'e' || *s == 'E')
		return true;
	if (*s == '.')
		return at + 1 < t->len && isdigit((unsigned char)s[1]);
	return strchr("+-", *s) && at > begin && strchr("eE", s[-1]);
}

/* Does a decimal begin there that mruby does not read as the nearest Float? */
static bool inexact_decimal(mrb_state *mrb, const struct source *t, size_t i)
{
	const char *s = t->text;
	char plain[128];
	size_t n = 0;
	if (!isdigit((unsigned char)s[i]) || (i && (is_word(s[i - 1]) || s[i - 1] == '.')))
		return false;
	for (size_t at = i; at < t->len && n + 1 < sizeof plain && is_decimal(t, i, at); at++)
		if (s[at] != '_')
			plain[n++] = s[at];
	plain[n] = 0;
	if (!strpbrk(plain, ".eE") || strchr(plain, 'x'))
		return false;
	double read = mrb_str_to_dbl(mrb, mrb_str_new_cstr(mrb, plain), FALSE);
	return n + 1 == sizeof plain || strtod(plain, NULL) != mrb_float(mrb_float_value(mrb, read));
}

/* `every(0.2)`: seconds to wait decide nothing. */
static bool after_every(const struct source *t, size_t i)
{
	static const char word[] = "every";
	size_t n = sizeof word - 1;
	while (i && (t->text[i - 1] == '(' || t->text[i - 1] == ' '))
		i--;
	return i >= n && !memcmp(t->text + i - n, word, n);
}

static void read_places(struct interpreter *rb)
{
	const struct source *t = rb->source;
	for (size_t i = 0; i < t->len; i++) {
		size_t at;
		int ai = mrb_gc_arena_save(rb->mrb);
		if ((at = loop_after_end(t, i)) && !parses_with(rb, at))
			ruby_refuse(rb, line_at(t, at),
			            "write `loop do ... break unless CONDITION; end`, or `while CONDITION ... end` to test first",
			            "`begin ... end while` tests first in mruby, last in Ruby");
		else if ((at = comma_before_bar(t, i)) && !parses_with(rb, at))
			ruby_refuse(rb, line_at(t, at), "write { |x, *| ... }, or take the element: x[0]",
			            "a comma before the `|` of a block's parameters, which mruby passes over");
		else if ((at = only_splat(t, i)) && !parses_with(rb, at))
			ruby_refuse(rb, line_at(t, at), "write hash.dup", "`{**hash}` alone is the hash itself in mruby, a copy in Ruby");
		else if (inexact_decimal(rb->mrb, t, i) && !after_every(t, i) && !parses_with(rb, i))
			ruby_refuse(rb, line_at(t, i), "use Integers: compare x * 10 with 3, not x with 0.3",
			            "a decimal that mruby holds with fewer digits than Ruby");
		mrb_gc_arena_restore(rb->mrb, ai);
	}
}

/* ---- comments that mean something -------------------------------------------------------- */

static bool joins(char c)
{
	return c == '_' || c == '-';
}

/* `frozen_string_literal:` in any case, with - for _ */
static bool is_frozen_key(const char *s)
{
	return !strncasecmp(s, "frozen", 6) && joins(s[6]) && !strncasecmp(s + 7, "string", 6) && joins(s[13]) &&
	       !strncasecmp(s + 14, "literal:", 8);
}

/* What a comment says of it: 1 it is true, 0 it is not, -1 nothing. */
static int frozen_in(const char *s, const char *end)
{
	enum { KEY = 22, VALUE = 4 };
	for (; end - s >= KEY + VALUE; s++)
		if (is_frozen_key(s)) {
			const char *value = s + KEY;
			while (value < end && isspace((unsigned char)*value))
				value++;
			return end - value >= VALUE && !strncasecmp(value, "true", VALUE);
		}
	return -1;
}

/* `# frozen_string_literal: true` among the comments that the file begins with. */
static bool has_frozen_literals(const struct source *t)
{
	const char *s = t->text, *end = t->text + t->len;
	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s)), *stop = nl ? nl : end;
		while (s < stop && isspace((unsigned char)*s))
			s++;
		if (s < stop && *s != '#')
			return false;
		int said = frozen_in(s, stop);
		if (said >= 0)
			return said;
		s = stop + (nl != NULL);
	}
	return false;
}

void dialect_text(struct interpreter *rb)
{
	if (has_frozen_literals(rb->source))
		differences_frozen(rb);
	read_places(rb);
}
