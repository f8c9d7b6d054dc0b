/*
 * pieces.c - a policy's text to a syntax tree, in time linear in its lines.
 *
 * mruby's parser walks all statements before each new one, and its code generator
 * all literals: a file of 20,000 rules takes seconds. So a long file is parsed in
 * pieces, whose trees are joined to the one that the whole text has. A piece ends
 * before a line that begins with a letter, and counts only when mruby parses it
 * alone; else it grows. The variables of the pieces before are known to it by the
 * context, as irb does it.
 *
 * A piece of nothing but rules with devices becomes the body of a lambda that is
 * called at once: its literals are then a list of their own. No such line can tell,
 * and a file that might (by giving Proc another `call`) is left as it is.
 */
#include "compiler/ruby/ruby.h"

#include <ctype.h>
#include <string.h>

enum { PIECE_LINES = 256 };

struct reader {
	struct interpreter *rb;
	mrbc_context *cx;
	struct pieces *out;
	const char *at, *end; /* what is not parsed yet */
	size_t line;          /* of it */
	bool plain;           /* nothing in the file can tell a lambda from the file's own level */
	mrb_ast_node *last;   /* of the statements so far */
};

/* ---- what a text says ------------------------------------------------------------- */

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '?' || c == '!';
}

/* Has the text one of the words, which end with NULL? */
static bool has_word(const char *s, const char *end, const char *const *words)
{
	while (s < end) {
		if (!is_word_char(*s)) {
			s++;
			continue;
		}
		const char *word = s;
		while (s < end && is_word_char(*s))
			s++;
		for (size_t i = 0; words[i]; i++)
			if (strlen(words[i]) == (size_t)(s - word) && !memcmp(word, words[i], (size_t)(s - word)))
				return true;
	}
	return false;
}

/* What may give another meaning to calling a lambda, or look at who calls. */
static bool changes_methods(const char *s, const char *end)
{
	static const char *const words[] = {
		"class", "module", "def", "alias", "undef", "alias_method", "define_method", "undef_method",
		"remove_method", "define_singleton_method", "Proc", "send", "public_send", "__send__", "method",
		"instance_eval", "class_eval", "module_eval", "instance_exec", "class_exec", "module_exec",
		"include", "extend", "prepend", NULL};
	return has_word(s, end, words);
}

/* Where mruby stops reading before the text ends. */
static bool ends_early(const char *s, size_t n)
{
	for (const char *at = s, *end = s + n; (at = memmem(at, (size_t)(end - at), "__END__", 7)); at++)
		if (at == s || at[-1] == '\n')
			return true;
	return memchr(s, 0, n) || memchr(s, 4, n) || memchr(s, 26, n);
}

static bool begins(const char *line, size_t n, const char *with)
{
	return n >= strlen(with) && !memcmp(line, with, strlen(with));
}

/* A line of a rule with devices: its first, or one with more strings; or a comment. */
static bool is_device_line(const char *line, size_t n)
{
	size_t space = 0;
	if (begins(line, n, "allow ") || begins(line, n, "deny "))
		return true;
	while (space < n && (line[space] == ' ' || line[space] == '\t' || line[space] == '\r'))
		space++;
	return space == n || line[space] == '#' || (space && line[space] == '"');
}

/* Only rules with devices, and comments. */
static bool only_device_rules(const char *s, const char *end)
{
	static const char *const words[] = {"do", "return", "break", "next", "redo", "retry", "yield", "super",
	                                    "begin", "for", "while", "until", NULL};
	for (const char *line = s, *nl; line < end; line = nl + 1) {
		nl = memchr(line, '\n', (size_t)(end - line));
		nl = nl ? nl : end;
		size_t n = (size_t)(nl - line);
		if (!is_device_line(line, n))
			return false;
		if (memchr(line, '{', n) || memchr(line, '=', n) || memchr(line, '&', n) || memchr(line, '<', n))
			return false;
		if (nl == end)
			break;
	}
	return !has_word(s, end, words);
}

/* ---- pieces --------------------------------------------------------------------------- */

/* The end of a piece of so many lines or a few more: the start of a line that a
 * statement may begin with. *n: its lines. */
static const char *piece_end(const struct reader *r, size_t wanted, size_t *n)
{
	const char *s = r->at;
	*n = 0;
	while (s < r->end) {
		const char *nl = memchr(s, '\n', (size_t)(r->end - s));
		if (!nl)
			break;
		const char *before = nl > s && nl[-1] == '\r' ? nl - 1 : nl;
		bool goes_on = before > s && before[-1] == '\\';
		s = nl + 1;
		if (++*n >= wanted && !goes_on && s < r->end && isalpha((unsigned char)*s))
			return s;
	}
	return r->end;
}

/* As mrb_parse_nstring(), in which nobody outside could see how far it is. */
static struct mrb_parser_state *parse(struct reader *r, const char *text, size_t n)
{
	struct mrb_parser_state *p = mrb_parser_new(r->rb->mrb);
	if (!p)
		return NULL;
	p->s = text;
	p->send = text + n;
	r->cx->lineno = (uint16_t)r->line;
	r->rb->parser = p;
	r->rb->parser_begin = (int)r->line;
	mrb_parser_parse(p, r->cx);
	r->rb->parser = NULL;
	return p;
}

static struct mrb_parser_state *parse_text(struct reader *r, const char *text, size_t n)
{
	int known = r->cx->slen;
	struct mrb_parser_state *p = parse(r, text, n);
	if (!p || p->nerr)
		r->cx->slen = known; /* forget what it thought variables */
	return p;
}

/* The piece as the body of a lambda that is called at once, lines where they were. */
static struct mrb_parser_state *parse_rules(struct reader *r, size_t n)
{
	static const char head[] = "->{", tail[] = "\n}.()\n";
	char *text = arena_alloc(r->rb->arena, n + sizeof head + sizeof tail);
	memcpy(text, head, sizeof head - 1);
	memcpy(text + sizeof head - 1, r->at, n);
	memcpy(text + sizeof head - 1 + n, tail, sizeof tail - 1);
	return parse_text(r, text, n + sizeof head - 1 + sizeof tail - 1);
}

/* The statements of a parsed text: (scope variables begin statement ...). */
static mrb_ast_node *body_of(const struct mrb_parser_state *p)
{
	return p->tree && p->tree->cdr ? p->tree->cdr->cdr : NULL;
}

/* Puts a piece's statements behind those before. */
static bool join(struct reader *r, struct mrb_parser_state *p)
{
	mrb_ast_node *body = body_of(p), *whole = r->out->n ? body_of(r->out->list[0]) : body;
	if (!body || body->car != whole->car)
		return false;
	if (!r->out->n) {
		r->last = body;
	} else {
		struct mrb_parser_state *first = r->out->list[0];
		r->last->cdr = body->cdr;
		first->tree->cdr->car = p->tree->cdr->car; /* the variables: those of before come first */
		for (size_t i = 0; i < p->nwarn && i < 10 && first->nwarn < 10; i++)
			first->warn_buffer[first->nwarn++] = p->warn_buffer[i];
	}
	while (r->last->cdr)
		r->last = r->last->cdr;
	return true;
}

static void keep(struct reader *r, struct mrb_parser_state *p)
{
	*ARENA_PUSH(r->rb->arena, r->out->list, r->out->n, r->out->cap) = p;
}

/* Parses one piece more. False: the rest has an error, or is not to be parsed in
 * pieces; *failed is then the parser that found it, or NULL. */
static bool next_piece(struct reader *r, struct mrb_parser_state **failed)
{
	*failed = NULL;
	for (size_t wanted = PIECE_LINES, lines;; wanted *= 2) {
		const char *to = piece_end(r, wanted, &lines);
		size_t n = (size_t)(to - r->at);
		struct mrb_parser_state *p = NULL;
		if (r->plain && only_device_rules(r->at, to)) {
			p = parse_rules(r, n);
			if (p && p->nerr) {
				mrb_parser_free(p);
				p = NULL;
			}
		}
		if (!p)
			p = parse_text(r, r->at, n);
		if (p && !p->nerr && join(r, p)) {
			keep(r, p);
			r->at = to;
			r->line += lines;
			return true;
		}
		if (!p || !p->nerr || to == r->end) {
			*failed = p;
			return false;
		}
		mrb_parser_free(p);
	}
}

struct mrb_parser_state *pieces_parse(struct interpreter *rb, mrbc_context *cx, struct pieces *out)
{
	struct reader r = {.rb = rb, .cx = cx, .out = out, .at = rb->source->text, .end = rb->source->text + rb->source->len, .line = 1};
	size_t lines;
	struct mrb_parser_state *failed = NULL;
	if (!ends_early(rb->source->text, rb->source->len) && piece_end(&r, 2 * PIECE_LINES, &lines) < r.end) {
		r.plain = !changes_methods(rb->source->text, r.end);
		while (r.at < r.end && next_piece(&r, &failed))
			;
		if (failed)
			keep(&r, failed);
		if (failed && failed->nerr)
			return failed;
		if (r.at == r.end)
			return out->list[0];
		cx->slen = 0;
	}
	r.line = 1;
	struct mrb_parser_state *whole = parse(&r, rb->source->text, rb->source->len);
	if (whole)
		keep(&r, whole);
	return whole;
}

void pieces_free(struct pieces *p)
{
	for (size_t i = 0; i < p->n; i++)
		mrb_parser_free(p->list[i]);
	p->n = 0;
}
