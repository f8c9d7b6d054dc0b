/*
 * device.c - a DEVICE of the command line, as keys of grants.
 *
 * It is written as in policies: a path below /dev, "c 10:229", ":fuse", "char-pts". A text that is not exactly a device is
 * refused, as it is there: a grant must never be for another device than its giver thinks.
 */
#include "cmd/grant/grant.h"
#include "policy/device.h"
#include "policy/host.h"
#include "policy/known.h"
#include "policy/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- words ------------------------------------------------------------------------------ */

static bool is_letters(const char *word)
{
	return *word && !word[strspn(word, "rwm")];
}

/* "c", which a shell's word ended at: "10:229" follows. */
static bool is_type(const char *word)
{
	return word[0] && strchr("cba", word[0]) && !word[1];
}

/* The words of one DEVICE with its letters, joined. */
static const char *one_text(struct arena *a, int argc, char **argv, int *used)
{
	const char *text = argv[0];
	int n = 1;
	if (is_type(text) && n < argc) {
		text = arena_printf(a, "%s %s", text, argv[n]);
		n++;
	}
	if (n < argc && is_letters(argv[n])) {
		text = arena_printf(a, "%s %s", text, argv[n]);
		n++;
	}
	*used = n;
	return text;
}

/* ---- patterns ----------------------------------------------------------------------------- */

struct reading {
	struct cmd *c;
	const char *text;
	const char *error, *hint;
	struct pattern *list;
	size_t n;
};

/* ":fuse", ":fuse rw". */
static int read_symbol(struct reading *r)
{
	struct arena *a = r->c->arena;
	struct words w = words_of((struct slice){r->text, strlen(r->text)});
	const char *name = arena_strndup(a, w.word[0].s + 1, w.word[0].n - 1);
	r->list = arena_alloc(a, sizeof *r->list);
	r->n = 1;
	if (w.n > 2) {
		r->error = arena_printf(a, "unexpected %s after the letters", text_quoted(a, w.word[2]));
		return -1;
	}
	int rc = pattern_named(a, &host_dev, name, r->list, &r->error, &r->hint), access = 0;
	if (!rc && w.n == 2 && (access = access_parse(arena_strndup(a, w.word[1].s, w.word[1].n))) < 0) {
		r->error = arena_printf(a, "%s are no access letters", text_quoted(a, w.word[1]));
		r->hint = "letters are r, w and m: :fuse rw";
		return -1;
	}
	r->list->access = access;
	return rc;
}

static const char FORMS[] = "a device is /dev/fuse, :fuse, \"c 10:229\" or char-pts, each with letters of r, w and m behind it or none";

/* "fuse": the symbol that policies have, or a node of that name. What only a policy can do is no answer here. */
static const char *own_hint(struct cmd *c, const char *text, const char *otherwise)
{
	struct stat st;
	struct pattern p;
	const char *error, *hint, *path = arena_printf(c->arena, "/dev/%s", text);
	if (!otherwise || strstr(otherwise, "label:") || strstr(otherwise, "missing:"))
		otherwise = FORMS;
	if (strpbrk(text, " /:"))
		return otherwise;
	if (!pattern_named(c->arena, &host_dev, text, &p, &error, &hint))
		return arena_printf(c->arena, "did you mean :%s?", text);
	if (!stat(path, &st) && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return arena_printf(c->arena, "did you mean %s?", path);
	return otherwise;
}

static int read_patterns(struct reading *r)
{
	struct arena *a = r->c->arena;
	if (*r->text == ':' && r->text[1])
		return read_symbol(r);
	if (pattern_is_glob(r->text))
		return patterns_matching(a, &host_dev, r->text, &r->list, &r->n, &r->error, &r->hint);
	r->list = arena_alloc(a, sizeof *r->list);
	r->n = 1;
	return pattern_parse(a, &host_dev, r->text, r->list, &r->error, &r->hint);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static uint64_t numbers_in(const struct interval *list, size_t n)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (uint64_t)(list[i].hi - list[i].lo) + 1;
	return sum;
}

static bool every_minor(const struct pattern *p)
{
	return p->nminors == 1 && p->minors[0].lo == 0 && p->minors[0].hi == MINOR_MAX;
}

static uint64_t keys_of(const struct pattern *p)
{
	uint64_t types = !!(p->types & DEV_CHAR) + !!(p->types & DEV_BLOCK);
	return types * numbers_in(p->majors, p->nmajors) * (every_minor(p) ? 1 : numbers_in(p->minors, p->nminors));
}

static void add_major(struct grant_device *d, const struct pattern *p, int type, int64_t major)
{
	struct grant_key key = {.type = (uint64_t)type, .major = (uint32_t)major, .minor = GRANT_ANY_MINOR};
	if (every_minor(p)) {
		d->keys[d->n++] = key;
		return;
	}
	for (size_t i = 0; i < p->nminors; i++)
		for (int64_t minor = p->minors[i].lo; minor <= p->minors[i].hi; minor++) {
			key.minor = (uint32_t)minor;
			d->keys[d->n++] = key;
		}
}

static void add_keys(struct grant_device *d, const struct pattern *p)
{
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (size_t i = 0; p->types & type && i < p->nmajors; i++)
			for (int64_t major = p->majors[i].lo; major <= p->majors[i].hi; major++)
				add_major(d, p, type, major);
}

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct grant_key));
}

/* Two nodes of a glob may be one device. */
static void drop_doubles(struct grant_device *d)
{
	size_t kept = 0;
	qsort(d->keys, d->n, sizeof *d->keys, by_key);
	for (size_t i = 0; i < d->n; i++)
		if (!i || by_key(&d->keys[i], &d->keys[kept - 1]))
			d->keys[kept++] = d->keys[i];
	d->n = kept;
}

static int too_many(struct cmd *c, const char *text, uint64_t n)
{
	return usage_error(c, "name fewer, or all minors of a major (\"c 136:*\"), which is one; for more, change the policy that denies them",
	                   "%s is %llu device numbers: a grant has at most %d", text_quoted(c->arena, (struct slice){text, strlen(text)}),
	                   (unsigned long long)n, GRANT_ENTRIES_MAX);
}

/* ---- what is known of it ---------------------------------------------------------------------- */

/* Where a path leads, when it is a link; NULL. */
static const char *link_target(struct cmd *c, const char *path)
{
	struct stat st;
	if (lstat(path, &st) || !S_ISLNK(st.st_mode))
		return NULL;
	char *real = realpath(path, NULL);
	const char *leads = real ? arena_strdup(c->arena, real) : NULL;
	free(real);
	return leads;
}

static void describe(struct cmd *c, struct grant_device *d, const struct pattern *p)
{
	bool one = d->n == 1 && d->keys[0].minor != GRANT_ANY_MINOR;
	const char *known = one ? known_name_of(c->arena, d->keys[0].type == DEV_BLOCK ? 'b' : 'c', d->keys[0].major, d->keys[0].minor) : NULL;
	d->by_node = *d->text == '/' || p->here;
	d->leads = *d->text == '/' ? link_target(c, d->text) : NULL;
	d->path = one && *d->text == '/' ? d->text : known ? arena_printf(c->arena, "/dev/%s", known) : NULL;
}

static int read_one(struct cmd *c, const char *text, struct grant_device *out)
{
	struct reading r = {.c = c, .text = text};
	uint64_t keys = 0;
	int rc = read_patterns(&r);
	if (rc) {
		usage_error(c, own_hint(c, text, r.hint), "%s", r.error);
		return rc == PATTERN_MISSING ? STATUS_FAILED : STATUS_USAGE;
	}
	for (size_t i = 0; i < r.n; i++)
		keys += keys_of(&r.list[i]);
	if (keys > GRANT_ENTRIES_MAX)
		return too_many(c, text, keys);
	struct words w = words_of((struct slice){text, strlen(text)});
	size_t named = is_type(arena_strndup(c->arena, w.word[0].s, w.word[0].n)) ? 2 : 1;
	out->text = arena_strndup(c->arena, w.word[0].s, (size_t)(w.word[named - 1].s + w.word[named - 1].n - w.word[0].s));
	out->letters = r.list->access != 0;
	out->access = (uint32_t)(r.list->access ? r.list->access : ACC_ALL);
	out->keys = arena_alloc(c->arena, (size_t)keys * sizeof *out->keys);
	for (size_t i = 0; i < r.n; i++)
		add_keys(out, &r.list[i]);
	drop_doubles(out);
	describe(c, out, r.list);
	return STATUS_OK;
}

int grant_devices(struct cmd *c, int argc, char **argv, struct grant_device **list, size_t *n)
{
	size_t cap = 0;
	*list = NULL;
	*n = 0;
	for (int at = 0, used; at < argc; at += used) {
		const char *text = one_text(c->arena, argc - at, argv + at, &used);
		struct grant_device *d = ARENA_PUSH(c->arena, *list, *n, cap);
		*d = (struct grant_device){0};
		int status = read_one(c, text, d);
		if (status)
			return status;
	}
	return STATUS_OK;
}
