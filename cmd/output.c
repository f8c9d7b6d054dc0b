/*
 * output.c - how messages look: text for people on stderr, JSON for programs on
 * stdout.
 *
 * Text that came from a policy or a request goes through text_escape(): a policy
 * can not move the cursor, change colours or reorder a line of a terminal.
 */
#include "cmd/cmd.h"
#include "policy/utf8.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOURCE_COLUMNS = 160, SOURCE_MAX = 4 << 10 };

size_t text_escape(char *out, size_t cap, const char *text, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0;
	for (size_t i = 0; i < len;) {
		size_t n = utf8_shown(text + i, len - i);
		char escaped[4] = {'\\', 'x', hex[s[i] >> 4], hex[s[i] & 15]};
		const char *piece = n ? text + i : escaped;
		size_t width = n ? n : 4;
		if (s[i] == '\t') {
			piece = " ";
			width = 1;
		}
		if (used + width >= cap)
			break;
		memcpy(out + used, piece, width);
		used += width;
		i += n ? n : 1;
	}
	if (cap)
		out[used] = '\0';
	return used;
}

void put_bytes(FILE *out, const char *text, size_t len)
{
	char buf[1024];
	while (len) {
		/* a quarter always fits; do not cut a character in two */
		size_t n = len < sizeof buf / 4 - 1 ? len : sizeof buf / 4 - 1;
		while (n < len && n > 1 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
		size_t escaped = text_escape(buf, sizeof buf, text, n);
		fwrite(buf, 1, escaped, out);
		text += n;
		len -= n;
	}
}

void put_text(FILE *out, const char *text)
{
	put_bytes(out, text, strlen(text));
}

json_t *text_json(const char *text)
{
	if (!text)
		return json_null();
	json_t *plain = json_string(text);
	if (plain)
		return plain;
	size_t cap = strlen(text) * 4 + 1;
	char *buf = malloc(cap);
	json_t *escaped = buf ? json_stringn(buf, text_escape(buf, cap, text, strlen(text))) : NULL;
	free(buf);
	return escaped;
}

/* ---- diagnostics ------------------------------------------------------------- */

static const char *const level_names[] = {"error", "warning", "note"};

static bool colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return (!no || !*no) && (!term || strcmp(term, "dumb") != 0) && isatty(STDERR_FILENO);
}

/* The line's text, from the input it is in; the caret's column must fit it. */
static void fill_source(struct cmd *c, struct diag *d)
{
	if (d->source || !d->at.file || d->at.line <= 0)
		return;
	for (size_t i = 0; i < c->inputs.n; i++) {
		size_t len;
		const char *line = strcmp(c->inputs.items[i].file, d->at.file) == 0
		                           ? document_line(&c->inputs.items[i], d->at.line, &len)
		                           : NULL;
		if (line && len > SOURCE_MAX) /* a thousand messages may be about one line of 4 MiB */
			for (len = SOURCE_MAX; len && ((unsigned char)line[len] & 0xc0) == 0x80;)
				len--;
		if (line)
			d->source = arena_strndup(c->arena, line, len);
	}
}

static void print_source(FILE *out, const struct diag *d, bool colour)
{
	char buf[SOURCE_COLUMNS * 4 + 1];
	const char *start = d->source + strspn(d->source, " \t");
	size_t len = strcspn(start, "\r\n"), shown = len < SOURCE_COLUMNS ? len : SOURCE_COLUMNS;
	while (shown < len && shown && ((unsigned char)start[shown] & 0xc0) == 0x80)
		shown--;
	if (!shown)
		return;
	text_escape(buf, sizeof buf, start, shown);
	fprintf(out, "    %s%s\n", buf, shown < len ? " ..." : "");
	size_t skipped = (size_t)(start - d->source), column = (size_t)d->at.column;
	if (d->at.column <= 0 || column <= skipped || column - skipped > shown)
		return;
	size_t before = text_escape(buf, sizeof buf, start, column - 1 - skipped), width = 0;
	for (size_t i = 0; i < before; i++)
		width += ((unsigned char)buf[i] & 0xc0) != 0x80;
	fprintf(out, "    %*s%s^%s\n", (int)width, "", colour ? "\033[1;32m" : "",
	        colour ? "\033[0m" : "");
}

/* "policy.rb:7:3" */
static void print_place(FILE *out, const struct span *at)
{
	put_text(out, at->file ? at->file : PROGRAM);
	if (!at->file || at->line <= 0)
		return;
	fprintf(out, ":%d", at->line);
	if (at->column > 0)
		fprintf(out, ":%d", at->column);
}

static void print_diag(FILE *out, const struct diag *d)
{
	static const char *const level_colours[] = {"\033[1;31m", "\033[1;35m", "\033[1;36m"};
	bool colour = colours();
	fputs(colour ? "\033[1m" : "", out);
	print_place(out, &d->at);
	fprintf(out, ": %s%s:%s ", colour ? level_colours[d->level] : "", level_names[d->level],
	        colour ? "\033[0m" : "");
	for (const char *line = d->text; line;) { /* the verifier's words have several lines */
		const char *end = strchr(line, '\n');
		put_bytes(out, line, end ? (size_t)(end - line) : strlen(line));
		fputs(end && end[1] ? "\n    " : "\n", out);
		line = end && end[1] ? end + 1 : NULL;
	}
	if (d->source)
		print_source(out, d, colour);
	for (const char *line = d->hint; line;) { /* a usage, and an example */
		const char *end = strchr(line, '\n');
		fputs("  hint: ", out);
		put_bytes(out, line, end ? (size_t)(end - line) : strlen(line));
		putc('\n', out);
		line = end ? end + 1 : NULL;
	}
}

static json_t *diag_json(const struct diag *d)
{
	json_t *o = json_pack("{s:s, s:o}", "level", level_names[d->level], "text",
	                      text_json(d->text));
	if (d->at.file)
		json_object_set_new(o, "file", text_json(d->at.file));
	if (d->at.line > 0)
		json_object_set_new(o, "line", json_integer(d->at.line));
	if (d->at.column > 0)
		json_object_set_new(o, "column", json_integer(d->at.column));
	if (d->source)
		json_object_set_new(o, "source", text_json(d->source));
	if (d->hint)
		json_object_set_new(o, "hint", text_json(d->hint));
	return o;
}

void diag_show(struct cmd *c, struct diag *d)
{
	fill_source(c, d);
	if (d->level == DIAG_WARNING && c->quiet)
		return;
	if (d->level == DIAG_NOTE && !(c->json.notes && c->json.on))
		return;
	if (!c->json.on) {
		print_diag(stderr, d);
		return;
	}
	if (!c->json.diagnostics)
		c->json.diagnostics = json_array();
	json_array_append_new(c->json.diagnostics, diag_json(d));
}

void diags_flush(struct cmd *c)
{
	if (c->diags.n && !c->json.on)
		fflush(stdout); /* keep the order when both go to one place */
	for (size_t i = 0; i < c->diags.n; i++)
		diag_show(c, &c->diags.items[i]);
	fflush(stderr);
	diags_init(&c->diags, c->arena);
}

/* ---- the end of a verb ---------------------------------------------------------- */

json_t *json_take_diagnostics(struct cmd *c)
{
	json_t *part = c->json.diagnostics ? c->json.diagnostics : json_array();
	if (!c->json.taken)
		c->json.taken = json_array();
	json_array_extend(c->json.taken, part);
	c->json.diagnostics = NULL;
	return part;
}

void json_finish(struct cmd *c, int status)
{
	json_decref(json_take_diagnostics(c));
	json_t *o = json_pack("{s:s}", "schema", JSON_SCHEMA);
	if (c->verb)
		json_object_set_new(o, "verb", json_string(c->verb->name));
	json_object_set_new(o, "exit", json_integer(status));
	json_object_update(o, c->json.out);
	json_object_set(o, "diagnostics", c->json.taken);
	json_dumpf(o, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(o);
}

int stdout_finish(struct cmd *c, int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	int err = errno; /* unknown when an earlier write failed */
	c->json.on = false;
	diag_fail(&c->diags, "what was printed is not complete, what was done stays done: is there room where it goes?",
	          "cannot write to stdout%s%s", err ? ": " : "", err ? strerror(err) : "");
	diags_flush(c);
	return STATUS_FAILED;
}

void die_of_pipe(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
