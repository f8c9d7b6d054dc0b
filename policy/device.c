/*
 * device.c - device patterns: TYPE SPACE MAJORS ':' MINORS [SPACE LETTERS].
 *
 * A text that is not exactly a device is refused, with what was found and what
 * was meant: a rule must never be about other devices than its reader thinks.
 * Names (paths, groups, symbols) are names.c's. Linear in the text, but for the
 * sort of its intervals.
 */
#include "policy/text.h"

#include <stdlib.h>
#include <string.h>

#define LETTERS_HINT "letters are r, w and m"

static int access_bit(char c)
{
	return c == 'r' ? ACC_READ : c == 'w' ? ACC_WRITE : c == 'm' ? ACC_MKNOD : 0;
}

/* Set of ACC_*, or -1 with the offset of the letter that is wrong. */
static int scan_access(struct slice letters, size_t *bad)
{
	int set = 0;
	for (size_t i = 0; i < letters.n; i++) {
		int bit = access_bit(letters.s[i]);
		*bad = i;
		if (!bit || set & bit)
			return -1;
		set |= bit;
	}
	*bad = 0;
	return set ? set : -1;
}

int access_parse(const char *letters)
{
	size_t bad;
	return scan_access((struct slice){letters, strlen(letters)}, &bad);
}

int read_access(struct fault *f, struct slice letters)
{
	size_t bad;
	int set = scan_access(letters, &bad);
	if (set >= 0)
		return set;
	if (access_bit(letters.s[bad]))
		return fault_set(f, "write each letter once", "access letter '%c' is written twice",
		                 letters.s[bad]);
	return fault_set(f, LETTERS_HINT, "unknown access letter '%s'",
	                 text_safe(f->arena, letters.s + bad, 1, 4));
}

/* ---- numbers ------------------------------------------------------------- */

static int by_lo(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;
	return (x->lo > y->lo) - (x->lo < y->lo);
}

size_t intervals_merge(struct interval *list, size_t n)
{
	size_t kept = 0;
	if (n == 0)
		return 0;
	qsort(list, n, sizeof *list, by_lo);
	for (size_t i = 1; i < n; i++) {
		if (list[i].lo > list[kept].hi + 1)
			list[++kept] = list[i];
		else if (list[i].hi > list[kept].hi)
			list[kept].hi = list[i].hi;
	}
	return kept + 1;
}

/* One number or range of a list. */
static int read_interval(struct fault *f, const char *what, struct slice item, int64_t max,
                         struct interval *out)
{
	/* a dash in front is a sign, and read_number() says so */
	const char *dash = item.n > 1 ? memchr(item.s + 1, '-', item.n - 1) : NULL;
	struct slice lo = item, hi = item;
	if (dash) {
		lo.n = (size_t)(dash - item.s);
		hi = (struct slice){dash + 1, item.n - lo.n - 1};
		if (hi.n == 0)
			return fault_set(f, "a range is LO-HI; * is every number",
			                 "%s range %s has no end", what,
			                 text_quoted(f->arena, item));
	}
	if (read_number(f, what, lo, (uint64_t)max, &out->lo) ||
	    read_number(f, what, hi, (uint64_t)max, &out->hi))
		return -1;
	if (out->lo <= out->hi)
		return 0;
	return fault_set(f,
	                 arena_printf(f->arena, "write %lld-%lld", (long long)out->hi,
	                              (long long)out->lo),
	                 "%s range %lld-%lld runs backwards", what, (long long)out->lo,
	                 (long long)out->hi);
}

static int read_list(struct fault *f, const char *what, struct slice s, int64_t max,
                     struct interval **list, size_t *n)
{
	struct interval *items = NULL;
	size_t count = 0, cap = 0;
	if (slice_is(s, "*")) {
		*ARENA_PUSH(f->arena, items, count, cap) = (struct interval){0, max};
	} else if (memchr(s.s, '*', s.n)) {
		return fault_set(f, "write '*' alone for all of them, or list numbers and ranges",
		                 "'*' stands with something else in %s %s", what,
		                 text_quoted(f->arena, s));
	} else {
		for (const char *end = s.s + s.n, *at = s.s, *next; at <= end; at = next + 1) {
			next = memchr(at, ',', (size_t)(end - at));
			if (!next)
				next = end;
			if (next == at && s.n > 0)
				return fault_set(f, "a list is numbers and ranges: 0-2,7",
				                 "missing %s in %s", what,
				                 text_quoted(f->arena, s));
			if (read_interval(f, what, (struct slice){at, (size_t)(next - at)}, max,
			                  ARENA_PUSH(f->arena, items, count, cap)))
				return -1;
		}
	}
	*n = intervals_merge(items, count);
	*list = items;
	return 0;
}

/* ---- the numeric form ------------------------------------------------------ */

/* The words of a device text; more than four are counted, not kept. */
struct words {
	struct slice word[4];
	size_t n;
};

static struct words split(const char *text)
{
	struct words w = {0};
	struct slice rest = {text, strlen(text)}, word;
	for (; next_word(&rest, &word); w.n++)
		if (w.n < 4)
			w.word[w.n] = word;
	return w;
}

/* From the word at `first` to the end of the text. */
static struct slice tail(const struct words *w, size_t first)
{
	return (struct slice){w->word[first].s, strlen(w->word[first].s)};
}

static bool contains(struct slice s, char c)
{
	return memchr(s.s, c, s.n) != NULL;
}

/* The letters that may follow word `at` - 1. */
static int read_letters(struct fault *f, const struct words *w, size_t at, int *access)
{
	if (w->n > at + 1)
		return fault_set(
			f, "write the access letters as one word, such as rw, and nothing after",
			"unexpected %s after %s", text_quoted(f->arena, w->word[at + 1]),
			text_quoted(f->arena, w->word[at]));
	*access = 0;
	if (w->n > at) {
		*access = read_access(f, w->word[at]);
		return *access < 0 ? -1 : 0;
	}
	return 0;
}

int letters_glued(struct fault *f, char type, struct slice numbers)
{
	size_t n = numbers.n;
	while (n > 0 && access_bit(numbers.s[n - 1]))
		n--;
	if (n == numbers.n || n == 0 || !strchr("0123456789*", numbers.s[n - 1]))
		return 0;
	char *head = text_safe(f->arena, numbers.s, n, 64);
	char *letters = text_safe(f->arena, numbers.s + n, numbers.n - n, 16);
	return fault_set(f, arena_printf(f->arena, "write \"%c %s %s\"", type, head, letters),
	                 "missing space before the access letters \"%s\"", letters);
}

/* "c 1: 3", "c 1 :3", "c 1:3, 4": the numbers are one word. */
static int space_inside(struct fault *f, const struct words *w)
{
	if (w->n < 3)
		return 0;
	struct slice a = w->word[1], b = w->word[2];
	if (!strchr(":,-", a.s[a.n - 1]) && !strchr("0123456789:,*", b.s[0]))
		return 0;
	return fault_set(f,
	                 "write MAJOR:MINOR without spaces, then the access letters: \"c 1:3 rw\"",
	                 "space inside %s", text_quoted(f->arena, tail(w, 1)));
}

static int read_numbers(struct fault *f, const struct words *w, struct pattern *out)
{
	char type = w->word[0].s[0];
	if (w->n == 1)
		return fault_set(f,
		                 arena_printf(f->arena,
		                              "write \"%c 1:3\", or \"%c *:*\" for all of them",
		                              type, type),
		                 "missing major:minor after '%c'", type);
	if (space_inside(f, w))
		return -1;
	struct slice numbers = w->word[1], majors, minors;
	if (!split_numbers(numbers, &majors, &minors))
		return fault_set(f, "a device is MAJOR:MINOR; 1:* is every minor of major 1",
		                 "missing ':' in %s", text_quoted(f->arena, numbers));
	if (letters_glued(f, type, numbers))
		return -1;
	out->types = type == 'c' ? DEV_CHAR : type == 'b' ? DEV_BLOCK : DEV_CHAR | DEV_BLOCK;
	if (read_list(f, "major", majors, MAJOR_MAX, &out->majors, &out->nmajors) ||
	    read_list(f, "minor", minors, MINOR_MAX, &out->minors, &out->nminors))
		return -1;
	return read_letters(f, w, 2, &out->access);
}

int not_a_type(struct fault *f, struct slice first, bool numbers_follow, const char *types)
{
	const char *text = text_safe(f->arena, first.s, first.n, 64);
	bool typed = first.n > 1 && strchr("cba", first.s[0]) && strchr("0123456789*", first.s[1]);
	if (contains(first, ':') && typed)
		return fault_set(f, arena_printf(f->arena, "write \"%c %s\"", text[0], text + 1),
		                 "missing space after the device type in \"%s\"", text);
	if (contains(first, ':') && strchr("0123456789*", first.s[0]))
		return fault_set(f,
		                 arena_printf(f->arena, "write \"c %s\" or \"b %s\"", text, text),
		                 "missing device type before \"%s\"", text);
	if (numbers_follow)
		return fault_set(f, types, "unknown device type \"%s\"", text);
	if (contains(first, '/') && !contains(first, ':'))
		return fault_set(f,
		                 arena_printf(f->arena, "a device path is absolute: \"/%s\"", text),
		                 "path \"%s\" does not start with '/'", text);
	return 0;
}

static int not_a_device(struct fault *f, const struct words *w)
{
	struct slice first = w->word[0], symbol = first;
	if (not_a_type(f, first, w->n > 1 && contains(w->word[1], ':'),
	               "types are c (character), b (block) and a (any)"))
		return -1;
	const char *hint =
		"a device is \"c 1:3 rw\", \"/dev/null\", \"char-pts\" or a symbol such as "
		":null; a label is given by label:";
	if (symbol.s[0] == ':')
		symbol.s++, symbol.n--;
	if (w->n == 1 && device_known(symbol))
		hint = arena_printf(f->arena, "as a symbol it is one: write :%s, without quotes",
		                    device_known(symbol));
	return fault_set(f, hint, "%s is not a device", text_quoted(f->arena, tail(w, 0)));
}

static bool is_type(struct slice s)
{
	return s.n == 1 && strchr("cba", s.s[0]);
}

int pattern_numeric(struct fault *f, const char *text, struct pattern *out)
{
	struct words w = split(text);
	return read_numbers(f, &w, out);
}

/* ---- all forms ------------------------------------------------------------- */

static int read_path(struct fault *f, const struct host *h, const struct words *w, struct pattern *out)
{
	int64_t major, minor;
	if (read_letters(f, w, 1, &out->access) ||
	    device_at(f, h, w->word[0], &out->types, &major, &minor))
		return -1;
	size_t cap = 0;
	*ARENA_PUSH(f->arena, out->majors, out->nmajors, cap) = (struct interval){major, major};
	cap = 0;
	*ARENA_PUSH(f->arena, out->minors, out->nminors, cap) = (struct interval){minor, minor};
	return 0;
}

static int read_pattern(struct fault *f, const struct host *h, const char *text, struct pattern *out)
{
	if (text_check(f, text, strlen(text)))
		return -1;
	struct words w = split(text);
	if (w.n == 0)
		return fault_set(f, "write a device, such as \"c 1:3 rw\" or \"/dev/null\"",
		                 "empty device text");
	if (w.word[0].s[0] == '/')
		return read_path(f, h, &w, out);
	if (!strncmp(w.word[0].s, "char-", 5) || !strncmp(w.word[0].s, "block-", 6))
		return read_letters(f, &w, 1, &out->access) ? -1
		                                            : device_group_here(f, h, w.word[0], out);
	if (is_type(w.word[0]))
		return read_numbers(f, &w, out);
	return not_a_device(f, &w);
}

int pattern_parse(struct arena *a, const struct host *h, const char *text, struct pattern *out,
                  const char **error, const char **hint)
{
	struct fault f = {.arena = a};
	struct pattern p = {.text = arena_strdup(a, text)};
	int rc = read_pattern(&f, h, p.text, &p);
	*error = f.error;
	*hint = f.hint;
	if (rc == 0)
		*out = p;
	return rc;
}

/* ---- meaning and text -------------------------------------------------------- */

static bool within(const struct interval *list, size_t n, int64_t v)
{
	for (size_t i = 0; i < n && list[i].lo <= v; i++)
		if (v <= list[i].hi)
			return true;
	return false;
}

bool pattern_matches(const struct pattern *p, bool deny, int type, int64_t major, int64_t minor,
                     int access)
{
	int letters = p->access ? p->access : ACC_ALL;
	if (!(p->types & type) || !within(p->majors, p->nmajors, major) ||
	    !within(p->minors, p->nminors, minor))
		return false;
	/* no access bit: the request only asks whether the device is there */
	if (access == 0)
		return !deny || letters == ACC_ALL;
	return letters & access;
}

static char *list_text(struct arena *a, const struct interval *list, size_t n, int64_t max)
{
	enum { ITEM = sizeof "4095-4095,1048575-1048575" };
	if (n == 1 && list[0].lo == 0 && list[0].hi == max)
		return arena_strdup(a, "*");
	char *out = arena_alloc(a, n * ITEM + 1);
	for (size_t i = 0, used = 0; i < n; i++) {
		used += (size_t)snprintf(out + used, ITEM, "%s%lld", i ? "," : "",
		                         (long long)list[i].lo);
		if (list[i].hi != list[i].lo)
			used += (size_t)snprintf(out + used, ITEM, "-%lld", (long long)list[i].hi);
	}
	return out;
}

char *pattern_text(struct arena *a, const struct pattern *p)
{
	static const char type[] = "?bca";
	char letters[4];
	return arena_printf(a, "%c %s:%s %s", type[p->types & 3],
	                    list_text(a, p->majors, p->nmajors, MAJOR_MAX),
	                    list_text(a, p->minors, p->nminors, MINOR_MAX),
	                    access_text(p->access ? p->access : ACC_ALL, letters));
}
