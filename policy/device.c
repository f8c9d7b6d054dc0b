/*
 * device.c - device patterns: TYPE SPACE MAJORS ':' MINORS [SPACE LETTERS].
 *
 * A text that is not exactly a device is refused, with what was found and what
 * was meant: a rule must never be about other devices than its reader thinks.
 * Names (paths, groups, symbols) are looked up by names.c. Linear in the text, but
 * for the sort of its intervals.
 */
#include "policy/device.h"
#include "policy/host.h"
#include "policy/names.h"
#include "policy/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- the numeric form ------------------------------------------------------ */

/* From the word at `first` to the end of the text. */
static struct slice tail(const struct words *w, size_t first)
{
	return (struct slice){w->word[first].s, strlen(w->word[first].s)};
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
	if (read_pair(f, type, numbers, PAIR_HINT, &majors, &minors))
		return -1;
	out->types = types_of(type);
	if (intervals_read(f, "major", majors, MAJOR_MAX, &out->majors, &out->nmajors) ||
	    intervals_read(f, "minor", minors, MINOR_MAX, &out->minors, &out->nminors))
		return -1;
	return read_letters(f, w, 2, &out->access);
}

/* What a fault's hint says to write instead of the first word, with the letters that were written
 * behind that: without them it would mean all three accesses, more than was asked. Always -1. */
static int with_letters(struct fault *f, const struct words *w)
{
	static const char *const verbs[] = {"write ", "did you mean "};
	if (!f->hint || w->n != 2 || access_parse(arena_strndup(f->arena, w->word[1].s, w->word[1].n)) < 0)
		return -1;
	const char *from = f->hint, *out = "", *at;
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if ((at = strstr(from, verbs[i])))
			from = at + strlen(verbs[i]);
	if (*from == ':') {
		f->hint = arena_printf(f->arena, "%s, access: \"%.*s\"", f->hint, (int)w->word[1].n, w->word[1].s);
		return -1;
	}
	const char *rest = f->hint;
	bool open = false;
	for (at = from; (at = strchr(at, '"')); at++, open = !open)
		if (open) {
			out = arena_printf(f->arena, "%s%.*s %.*s", out, (int)(at - rest), rest, (int)w->word[1].n, w->word[1].s);
			rest = at;
		}
	f->hint = arena_printf(f->arena, "%s%s", out, rest);
	return -1;
}

static int not_a_device(struct fault *f, const struct words *w)
{
	struct slice first = w->word[0], symbol = first;
	if (not_a_type(f, first, w->n > 1 && slice_has(w->word[1], ':'),
	               "types are c (character), b (block) and a (any)"))
		return with_letters(f, w);
	const char *hint =
		"a device is \"c 1:3 rw\", \"/dev/null\", \"char-pts\" or a symbol such as "
		":null; a label is given by label:";
	if (symbol.s[0] == ':')
		symbol.s++, symbol.n--;
	if (w->n == 1 && device_known(f->arena, symbol))
		hint = arena_printf(f->arena, "as a symbol it is one: write :%s, without quotes",
		                    device_known(f->arena, symbol));
	return fault_set(f, hint, "%s is not a device", text_quoted(f->arena, tail(w, 0)));
}

static bool is_type(struct slice s)
{
	return s.n == 1 && strchr("cba", s.s[0]);
}

/* ---- all forms ------------------------------------------------------------- */

static void set_one(struct fault *f, struct pattern *out, int64_t major, int64_t minor)
{
	size_t cap = 0;
	*ARENA_PUSH(f->arena, out->majors, out->nmajors, cap) = (struct interval){major, major};
	cap = 0;
	*ARENA_PUSH(f->arena, out->minors, out->nminors, cap) = (struct interval){minor, minor};
}

static int read_path(struct fault *f, const struct host *h, const struct words *w, struct pattern *out)
{
	int64_t major, minor;
	if (read_letters(f, w, 1, &out->access))
		return -1;
	if (device_at(f, h, w->word[0], &out->types, &major, &minor))
		return with_letters(f, w);
	set_one(f, out, major, minor);
	return 0;
}

static int read_pattern(struct fault *f, const struct host *h, const char *text, struct pattern *out)
{
	if (text_check(f, text, strlen(text)))
		return -1;
	struct words w = words_of((struct slice){text, strlen(text)});
	if (w.n == 0)
		return fault_set(f, "write a device, such as \"c 1:3 rw\" or \"/dev/null\"",
		                 "empty device text");
	if (w.word[0].s[0] == '/')
		return read_path(f, h, &w, out);
	if (!strncmp(w.word[0].s, "char-", 5) || !strncmp(w.word[0].s, "block-", 6))
		return read_letters(f, &w, 1, &out->access)          ? -1
		       : device_group_here(f, h, w.word[0], out) ? with_letters(f, &w)
		                                                 : 0;
	if (is_type(w.word[0]))
		return read_numbers(f, &w, out);
	return not_a_device(f, &w);
}

/* What was read, or what is wrong with it. */
static int finish(const struct fault *f, int rc, const struct pattern *p, struct pattern *out, const char **error,
                  const char **hint)
{
	*error = f->error;
	*hint = f->hint;
	if (rc == 0)
		*out = *p;
	else if (f->missing)
		out->access = p->access;
	return rc && f->missing ? PATTERN_MISSING : rc;
}

int pattern_parse(struct arena *a, const struct host *h, const char *text, struct pattern *out,
                  const char **error, const char **hint)
{
	struct fault f = {.arena = a};
	struct pattern p = {.text = arena_strdup(a, text)};
	int rc = read_pattern(&f, h, p.text, &p);
	return finish(&f, rc, &p, out, error, hint);
}

int pattern_named(struct arena *a, const struct host *h, const char *name, struct pattern *out,
                  const char **error, const char **hint)
{
	struct fault f = {.arena = a};
	struct pattern p = {.text = arena_printf(a, ":%s", name)};
	const char *text = device_symbol(&f, h, (struct slice){name, strlen(name)}, &p.here);
	struct words w = words_of((struct slice){text, text ? strlen(text) : 0});
	int rc = text ? read_numbers(&f, &w, &p) : -1;
	return finish(&f, rc, &p, out, error, hint);
}

/* ---- paths with wildcards ------------------------------------------------------------------- */

bool pattern_is_glob(const char *text)
{
	struct words w = words_of((struct slice){text, strlen(text)});
	return w.n && w.word[0].s[0] == '/' && memchr(w.word[0].s, '/', w.word[0].n) &&
	       (slice_has(w.word[0], '*') || slice_has(w.word[0], '?') || slice_has(w.word[0], '['));
}

static int cannot_match(struct fault *f, const char *glob, const char *path, int error)
{
	const char *at = path && *path ? path : glob;
	struct slice about = {at, strlen(at)};
	const char *name = text_quoted(f->arena, about);
	if (error == ENOENT || error == ENOTDIR) {
		f->missing = true;
		return fault_set(f, "a path with wildcards is what is there when the policy is compiled; "
		                    "missing: :skip goes on without it",
		                 "no device is at %s", name);
	}
	if (error == E2BIG)
		return fault_set(f, "name their group, such as \"char-pts\", or their numbers", "more than 1024 devices are at %s", name);
	if (error == EXDEV || error == EACCES)
		return fault_set(f, "write a pattern that does not match it, or the numbers: \"c 1:3\"",
		                 error == EXDEV ? "%s leads out of /dev"
		                                : "%s is not trusted: others than root can write a directory on the way",
		                 name);
	return fault_set(f, "write the devices' numbers instead: \"c 1:3\"", "cannot look at %s: %s", name, strerror(error));
}

static int check_glob(struct fault *f, const char *glob)
{
	if (strncmp(glob, "/dev/", 5))
		return fault_set(f, "a device's path begins with /dev/; of a device that is elsewhere, "
		                    "write the numbers: \"c 1:3\"",
		                 "%s is not below /dev", text_quoted(f->arena, (struct slice){glob, strlen(glob)}));
	if (strcspn(glob, "*?[") < (size_t)(strrchr(glob, '/') - glob))
		return fault_set(f, "write a rule for each directory", "wildcards in a directory's name: %s",
		                 text_quoted(f->arena, (struct slice){glob, strlen(glob)}));
	return 0;
}

/* The lines of a listing (host.h). */
static int read_matches(struct fault *f, const char *glob, const char *listing, const char *letters, int access,
                        struct pattern **list, size_t *n)
{
	size_t cap = 0;
	for (const char *at = listing; *at; at += strcspn(at, "\n") + 1) {
		struct pattern p = {.access = access};
		long long major, minor;
		char type;
		int used = 0;
		if (sscanf(at, "%c %lld:%lld %n", &type, &major, &minor, &used) != 3 || major > MAJOR_MAX || minor > MINOR_MAX)
			return cannot_match(f, glob, NULL, EBADMSG);
		p.types = types_of(type);
		set_one(f, &p, major, minor);
		p.text = arena_printf(f->arena, "%.*s%s", (int)strcspn(at + used, "\n"), at + used, letters);
		*ARENA_PUSH(f->arena, *list, *n, cap) = p;
	}
	return *n ? 0 : cannot_match(f, glob, NULL, ENOENT);
}

static int read_glob(struct fault *f, const struct host *h, const char *text, struct pattern *like, struct pattern **list,
                     size_t *n)
{
	const char *listing;
	if (text_check(f, text, strlen(text)))
		return -1;
	struct words w = words_of((struct slice){text, strlen(text)});
	const char *glob = arena_strndup(f->arena, w.word[0].s, w.word[0].n);
	if (read_letters(f, &w, 1, &like->access) || check_glob(f, glob))
		return -1;
	int error = h->matches ? h->matches(h, f->arena, glob, &listing) : ENOSYS;
	if (error)
		return cannot_match(f, glob, h->matches ? listing : NULL, error);
	return read_matches(f, glob, listing, w.word[0].s + w.word[0].n, like->access, list, n);
}

int patterns_matching(struct arena *a, const struct host *h, const char *text, struct pattern **list, size_t *n,
                      const char **error, const char **hint)
{
	struct fault f = {.arena = a};
	struct pattern like = {0}, out = {0};
	*list = NULL;
	*n = 0;
	return finish(&f, read_glob(&f, h, arena_strdup(a, text), &like, list, n), &like, &out, error, hint);
}

struct pattern pattern_left_out(struct arena *a, const char *text, int access)
{
	struct fault f = {.arena = a};
	struct pattern p = {.access = access, .text = text};
	set_one(&f, &p, 0, 0);
	return p;
}

/* ---- meaning and text -------------------------------------------------------- */

bool pattern_matches(const struct pattern *p, bool deny, int type, int64_t major, int64_t minor,
                     int access)
{
	int letters = p->access ? p->access : ACC_ALL;
	if (!(p->types & type) || !intervals_have(p->majors, p->nmajors, major) ||
	    !intervals_have(p->minors, p->nminors, minor))
		return false;
	/* no access bit: the request only asks whether the device is there */
	if (access == 0)
		return !deny || letters == ACC_ALL;
	return letters & access;
}

char *pattern_text(struct arena *a, const struct pattern *p)
{
	static const char type[] = "?bca";
	char letters[4];
	return arena_printf(a, "%c %s:%s %s", type[p->types & 3],
	                    intervals_text(a, p->majors, p->nmajors, MAJOR_MAX),
	                    intervals_text(a, p->minors, p->nminors, MINOR_MAX),
	                    access_text(p->access ? p->access : ACC_ALL, letters));
}
