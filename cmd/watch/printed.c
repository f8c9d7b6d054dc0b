/*
 * printed.c - what handlers print, on stdout.
 *
 * A handler prints what an attacker chose (the name of a process): so its text is escaped like any other, and only
 * line feeds and tabs stay. An attacker who is denied often makes it print often: no more than a number of bytes
 * a second is shown, and what is left out is counted and told.
 */
#include "cmd/watch/watch.h"

#include "cmd/audit/audit.h"
#include "policy/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 64 << 10, CHARACTER = 4 };

void printed_begin(struct printed *p, bool json)
{
	*p = (struct printed){.json = json, .spare = (double)SECOND_BYTES * BURST_SECONDS, .at = watch_now()};
}

static void keep(struct printed *p, const char *s, size_t n)
{
	if (p->n + n > p->cap) {
		size_t cap = (p->n + n) * 2;
		char *grown = realloc(p->line, cap);
		if (!grown) {
			p->left_out += n;
			return;
		}
		p->line = grown;
		p->cap = cap;
	}
	memcpy(p->line + p->n, s, n);
	p->n += n;
}

/* How many bytes at the end begin a character that is not whole. */
static size_t cut_off(const char *s, size_t n)
{
	for (size_t back = 1; back < CHARACTER && back <= n; back++) {
		unsigned char c = (unsigned char)s[n - back];
		if ((c & 0xc0) != 0x80)
			return (c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1) > back ? back : 0;
	}
	return 0;
}

/* Line feeds and tabs as they are, the rest escaped. */
static void show(const char *s, size_t n)
{
	while (n) {
		size_t plain = 0;
		while (plain < n && s[plain] != '\n' && s[plain] != '\t')
			plain++;
		put_bytes(stdout, s, plain);
		if (plain < n)
			putchar(s[plain++]);
		s += plain;
		n -= plain;
	}
}

static void show_text(struct printed *p, const char *s, size_t n)
{
	if (p->n) { /* the begin of a character */
		keep(p, s, n);
		s = p->line;
		n = p->n;
	}
	size_t cut = cut_off(s, n);
	show(s, n - cut);
	char rest[CHARACTER];
	memcpy(rest, s + n - cut, cut);
	p->n = 0;
	keep(p, rest, cut);
}

static void show_line(struct printed *p)
{
	keep(p, "", 1);
	size_t had = strlen(p->line);
	for (size_t i = had; i + 1 < p->n; i++) /* a NUL is no end */
		if (!p->line[i])
			p->line[i] = 0x1a;
	json_t *o = json_pack("{s:s, s:o}", "schema", JSON_SCHEMA, "printed", text_json(p->line));
	json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(o);
	p->n = 0;
}

static void show_json(struct printed *p, const char *s, size_t n)
{
	while (n) {
		const char *end = memchr(s, '\n', n);
		size_t part = end ? (size_t)(end - s) : n;
		bool ends = end;
		if (p->n + part > LINE_MOST) {
			part = LINE_MOST - p->n;
			ends = true;
			end = NULL;
		}
		keep(p, s, part);
		if (ends)
			show_line(p);
		part += end ? 1 : 0;
		s += part;
		n -= part;
	}
}

void printed_add(struct printed *p, const char *bytes, size_t n)
{
	uint64_t now = watch_now();
	double most = (double)SECOND_BYTES * BURST_SECONDS;
	p->spare += (double)(now - p->at) / (double)WATCH_NSEC * SECOND_BYTES;
	p->spare = p->spare < most ? p->spare : most;
	p->at = now;
	size_t shown = (double)n <= p->spare ? n : (size_t)p->spare;
	p->spare -= (double)shown;
	p->left_out += n - shown;
	p->bytes += shown;
	if (p->json)
		show_json(p, bytes, shown);
	else
		show_text(p, bytes, shown);
}

int printed_flush(struct cmd *c, struct printed *p)
{
	unsigned long long more = p->left_out - p->told;
	errno = 0;
	if (fflush(stdout) || ferror(stdout)) {
		diag_fail(&c->diags, "is the disk full, or the reader of the pipe gone?", "cannot write to stdout: %s",
		          strerror(errno ? errno : EIO));
		clearerr(stdout);
		return -1;
	}
	if (more && p->spare > SECOND_BYTES) { /* once, when it is over */
		tell(c, "%llu bytes that handlers printed are left out: they print more than %d MiB a second", more, SECOND_BYTES >> 20);
		p->told = p->left_out;
	}
	return 0;
}

void printed_end(struct cmd *c, struct printed *p)
{
	if (p->n && p->json)
		show_line(p);
	else if (p->n)
		show(p->line, p->n);
	p->n = 0;
	p->spare = SECOND_BYTES + 1.0;
	struct diags kept = c->diags;
	if (printed_flush(c, p))
		c->diags = kept; /* it was said */
	free(p->line);
	p->line = NULL;
}
