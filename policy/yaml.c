/*
 * yaml.c - YAML by libyaml's events, as a tree of what a file of settings needs.
 *
 * Aliases and anchors, tags, directives, keys that are no text, keys given twice
 * and a second document are errors: a reader of the file must see all there is.
 * Size, depth and the number of nodes are bounded, so that time and memory are.
 */
#include "policy/yaml.h"

#include <string.h>
#include <yaml.h>

enum { MIB = 1 << 20, DEPTH_MAX = 16, NODES_MAX = 50000, KEYS_MAX = 1000, ERRORS_MAX = 12 };
enum { LINE_MAX_SHOWN = 400 };

struct reader {
	struct yaml *y;
	yaml_parser_t parser;
	size_t nodes;
	size_t errors; /* that were there before */
	bool no_memory;
	/* libyaml counts characters: where the last mark was, in both */
	size_t index, offset, line_start;
};

const char *yaml_kind_name(enum yaml_kind kind)
{
	return kind == YAML_TEXT ? "text" : kind == YAML_LIST ? "a list" : "a mapping";
}

const struct yaml_node *yaml_value(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++)
		if (slice_is(map->keys[i].text, key))
			return &map->items[i];
	return NULL;
}

/* ---- places and messages ---------------------------------------------------- */

const char *yaml_line(struct arena *a, const char *text, size_t len, int line)
{
	const char *s = text, *end = text + len;
	for (int at = 1; s && at < line; at++) {
		s = memchr(s, '\n', (size_t)(end - s));
		s = s ? s + 1 : NULL;
	}
	if (!s || line < 1)
		return NULL;
	size_t n = (size_t)(end - s);
	const char *newline = memchr(s, '\n', n);
	n = newline ? (size_t)(newline - s) : n;
	return arena_strndup(a, s, n < LINE_MAX_SHOWN ? n : LINE_MAX_SHOWN);
}

int yaml_fail(const struct yaml *y, struct span at, const char *hint, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct diag *d =
		diag_add(y->diags, DIAG_ERROR, at, hint, "%s", arena_vprintf(y->arena, fmt, ap));
	va_end(ap);
	d->source = yaml_line(y->diags->arena, y->text, y->len, at.line);
	return -1;
}

static struct span span_at(const struct yaml *y, size_t offset)
{
	struct span at = {.file = y->file, .line = 1};
	const char *s = y->text, *end = y->text + offset, *p;
	for (; (p = memchr(s, '\n', (size_t)(end - s))); s = p + 1)
		at.line++;
	at.column = (int)(end - s) + 1;
	return at;
}

/* Marks come in the order of the text, nearly always: each byte is passed once. */
static struct span span_of(struct reader *r, yaml_mark_t mark)
{
	const struct yaml *y = r->y;
	if (mark.index < r->index)
		r->index = r->offset = r->line_start = 0;
	while (r->index < mark.index && r->offset < y->len) {
		if (y->text[r->offset++] == '\n')
			r->line_start = r->offset;
		while (r->offset < y->len && ((unsigned char)y->text[r->offset] & 0xc0) == 0x80)
			r->offset++;
		r->index++;
	}
	return (struct span){.file = y->file,
	                     .line = (int)mark.line + 1,
	                     .column = (int)(r->offset - r->line_start) + 1};
}

/* Nothing goes on after so many errors; the last one says so. */
static bool too_many(struct reader *r, struct span at)
{
	if (r->y->diags->errors - r->errors < ERRORS_MAX)
		return false;
	yaml_fail(r->y, at, "correct those first", "too many errors: the rest was not read");
	return true;
}

/* ---- before the parser sees it ------------------------------------------------ */

/* Text in UTF-8, its lines ended by LF or CR LF, with nothing that hides. */
static int check_text(const struct yaml *y)
{
	size_t i = 0;
	if (y->len > MIB)
		return yaml_fail(y, span_at(y, 0), y->shorten, "the file is larger than 1 MiB");
	while ((i += text_unsafe(y->text + i, y->len - i)) < y->len) {
		unsigned char c = (unsigned char)y->text[i];
		bool newline = c == '\n' || (c == '\r' && i + 1 < y->len && y->text[i + 1] == '\n');
		if (!newline && c != '\t')
			return yaml_fail(y, span_at(y, i), "write printable text, in UTF-8",
			                 "unprintable byte \\x%02x: this is not a text file", c);
		i++;
	}
	return 0;
}

static const char *syntax_hint(const char *problem)
{
	if (strstr(problem, "alphabetic or numeric"))
		return "quote text that starts with * or &: \"*\"";
	if (strstr(problem, "cannot start any token"))
		return "indent with spaces, not tabs; quote text that starts with %, @ or `";
	if (strstr(problem, "mapping values are not allowed"))
		return "quote text that has a colon in it; check the indentation";
	return "check the indentation, the brackets and the quotes here and in the line before";
}

/* 0 and the next event, or -1 with a diagnostic. */
static int next_event(struct reader *r, yaml_event_t *e)
{
	yaml_parser_t *p = &r->parser;
	if (yaml_parser_parse(p, e))
		return 0;
	r->no_memory = p->error == YAML_MEMORY_ERROR;
	if (r->no_memory)
		return -1;
	struct span at = span_of(r, p->problem_mark);
	const char *problem = p->problem ? p->problem : "it ends within a value";
	return yaml_fail(r->y, at, syntax_hint(problem), "this is not YAML: %s%s%s", problem,
	                 p->context ? " " : "", p->context ? p->context : "");
}

/* ---- events to nodes -------------------------------------------------------------- */

static int read_node(struct reader *r, const yaml_event_t *e, int depth, struct yaml_node *out);

static void refuse_properties(struct reader *r, struct span at, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
	if (anchor)
		yaml_fail(r->y, at, "write the value out where it is needed; quote text that starts with &",
		          "anchors are refused");
	if (tag)
		yaml_fail(r->y, at, "leave the tag out; quote text that starts with !",
		          "tags are refused");
}

static int read_text(struct reader *r, const yaml_event_t *e, struct yaml_node *out)
{
	const char *s = (const char *)e->data.scalar.value;
	size_t n = e->data.scalar.length;
	refuse_properties(r, out->at, e->data.scalar.anchor, e->data.scalar.tag);
	out->kind = YAML_TEXT;
	out->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	out->text = (struct slice){arena_strndup(r->y->arena, s, n), n};
	size_t bad = text_unsafe(s, n); /* an escape sequence may have made one */
	if (bad < n)
		yaml_fail(r->y, out->at, "write printable text on one line",
		          "unprintable byte \\x%02x after %s", (unsigned char)s[bad],
		          text_quoted(r->y->arena, (struct slice){s, bad}));
	return 0;
}

static int read_list(struct reader *r, const yaml_event_t *start, int depth, struct yaml_node *out)
{
	size_t cap = 0;
	out->kind = YAML_LIST;
	refuse_properties(r, out->at, start->data.sequence_start.anchor,
	                  start->data.sequence_start.tag);
	for (;;) {
		yaml_event_t e;
		if (next_event(r, &e))
			return -1;
		bool end = e.type == YAML_SEQUENCE_END_EVENT;
		int failed = end ? 0
		                 : read_node(r, &e, depth + 1,
		                             ARENA_PUSH(r->y->arena, out->items, out->n, cap));
		yaml_event_delete(&e);
		if (end || failed)
			return failed;
	}
}

static int check_key(struct reader *r, const struct yaml_node *map, const struct yaml_node *key)
{
	const struct yaml *y = r->y;
	if (key->kind != YAML_TEXT)
		return yaml_fail(y, key->at, "write KEY: VALUE", "a key must be text, not %s",
		                 yaml_kind_name(key->kind));
	if (map->n > KEYS_MAX)
		return yaml_fail(y, key->at, y->shorten,
		                 "more than %d keys in one mapping", KEYS_MAX);
	for (size_t i = 0; i + 1 < map->n; i++)
		if (map->keys[i].text.n == key->text.n &&
		    !memcmp(map->keys[i].text.s, key->text.s, key->text.n))
			yaml_fail(y, key->at, "keep one of them", "the key %s is given twice: first in line %d",
			          text_quoted(y->arena, key->text), map->keys[i].at.line);
	return 0;
}

static int read_map(struct reader *r, const yaml_event_t *start, int depth, struct yaml_node *out)
{
	size_t cap = 0, ncap = 0, n = 0;
	out->kind = YAML_MAP;
	refuse_properties(r, out->at, start->data.mapping_start.anchor,
	                  start->data.mapping_start.tag);
	for (;;) {
		yaml_event_t e;
		if (next_event(r, &e))
			return -1;
		if (e.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&e);
			return 0;
		}
		struct yaml_node *key = ARENA_PUSH(r->y->arena, out->keys, out->n, cap);
		int failed = read_node(r, &e, depth + 1, key);
		yaml_event_delete(&e);
		if (failed || check_key(r, out, key) || next_event(r, &e))
			return -1;
		failed = read_node(r, &e, depth + 1, ARENA_PUSH(r->y->arena, out->items, n, ncap));
		yaml_event_delete(&e);
		if (failed)
			return -1;
	}
}

static int read_node(struct reader *r, const yaml_event_t *e, int depth, struct yaml_node *out)
{
	*out = (struct yaml_node){.at = span_of(r, e->start_mark)};
	if (too_many(r, out->at))
		return -1;
	if (depth > DEPTH_MAX)
		return yaml_fail(r->y, out->at, "nothing here needs that", "nested deeper than %d levels",
		                 DEPTH_MAX);
	if (++r->nodes > NODES_MAX)
		return yaml_fail(r->y, out->at, r->y->shorten, "more than %d values", NODES_MAX);
	if (e->type == YAML_SCALAR_EVENT)
		return read_text(r, e, out);
	if (e->type == YAML_SEQUENCE_START_EVENT)
		return read_list(r, e, depth, out);
	if (e->type == YAML_MAPPING_START_EVENT)
		return read_map(r, e, depth, out);
	const char *name = (const char *)e->data.alias.anchor;
	out->text = (struct slice){"", 0};
	yaml_fail(r->y, out->at,
	          arena_printf(r->y->arena, "for a glob write it in quotes: \"*%s\"; else write the value "
	                                    "out", name),
	          "aliases are refused");
	return 0;
}

/* ---- the stream ---------------------------------------------------------------------- */

/* The event must be of that type. Consumes it. */
static bool is_event(struct reader *r, yaml_event_type_t type, struct span *at)
{
	yaml_event_t e;
	if (next_event(r, &e))
		return false;
	bool same = e.type == type, directives = false;
	*at = span_of(r, e.start_mark);
	if (same && type == YAML_DOCUMENT_START_EVENT)
		directives = e.data.document_start.version_directive ||
		             e.data.document_start.tag_directives.start !=
		                     e.data.document_start.tag_directives.end;
	if (directives)
		yaml_fail(r->y, *at, "leave out the lines that start with %", "directives are refused");
	yaml_event_delete(&e);
	return same;
}

static int read_stream(struct reader *r, struct yaml_node *root)
{
	struct span at = {.file = r->y->file, .line = 1, .column = 1};
	yaml_event_t e;
	if (!is_event(r, YAML_STREAM_START_EVENT, &at))
		return -1;
	if (!is_event(r, YAML_DOCUMENT_START_EVENT, &at))
		return r->y->diags->errors > r->errors
		               ? -1
		               : yaml_fail(r->y, (struct span){r->y->file, 1, 1},
		                           arena_printf(r->y->arena, "start with: %s", r->y->begin), "the file is empty");
	if (next_event(r, &e))
		return -1;
	int failed = read_node(r, &e, 1, root);
	yaml_event_delete(&e);
	if (failed || !is_event(r, YAML_DOCUMENT_END_EVENT, &at))
		return -1;
	if (is_event(r, YAML_STREAM_END_EVENT, &at))
		return 0;
	return r->y->diags->errors > r->errors
	               ? -1
	               : yaml_fail(r->y, at, "join them, or keep one",
	                           "a second document starts here");
}

int yaml_read(struct yaml *y, struct yaml_node *root)
{
	struct reader r = {.y = y, .errors = y->diags->errors};
	if (y->len >= 3 && !memcmp(y->text, "\xef\xbb\xbf", 3)) {
		y->text += 3; /* a byte order mark */
		y->len -= 3;
	}
	if (check_text(y))
		return -1;
	if (!yaml_parser_initialize(&r.parser))
		arena_fail(y->arena);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)y->text, y->len);
	int failed = read_stream(&r, root);
	yaml_parser_delete(&r.parser);
	if (r.no_memory)
		arena_fail(y->arena);
	return failed || y->diags->errors > r.errors ? -1 : 0;
}
