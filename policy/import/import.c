/*
 * import.c - device lists of other tools: what their readers share.
 *
 * A reader takes a list whole or not at all: what it does not understand is an
 * error with its place, never left out. Linear in the text.
 */
#include "policy/image.h"
#include "policy/import/internal.h"

#include <string.h>

const char *const foreign_names[FOREIGN_FORMATS] = {
#define FORMAT(id, name) #name,
#include "policy/import/formats.def"
};

/* ---- the list ------------------------------------------------------------------ */

void foreign_start(struct diags *d, enum foreign_format format, const char *file, struct foreign *out)
{
	*out = (struct foreign){.format = format, .file = file};
	out->name = file ? foreign_file_name(d->arena, file) : foreign_names[format];
}

struct foreign_entry *foreign_add(struct arena *a, struct foreign *f, struct foreign_entry e)
{
	struct foreign_entry *at;
	if (e.builtin)
		at = ARENA_PUSH(a, f->added, f->nadded, f->added_cap);
	else
		at = ARENA_PUSH(a, f->entries, f->n, f->cap);
	*at = e;
	return at;
}

void foreign_reserve(struct arena *a, struct foreign *f, size_t n)
{
	if (f->entries || !n)
		return;
	f->entries = arena_alloc(a, n * sizeof *f->entries);
	f->cap = n;
}

void foreign_note(struct arena *a, struct foreign *f, const char *note)
{
	*ARENA_PUSH(a, f->notes, f->nnotes, f->notes_cap) = note;
}

void foreign_skip(struct arena *a, struct foreign *f, struct foreign_skip s)
{
	*ARENA_PUSH(a, f->skipped, f->nskipped, f->skipped_cap) = s;
}

const char *foreign_member(bool in_rules, bool in_requests)
{
	return in_rules ? "DeviceCgroupRules" : in_requests ? "DeviceRequests" : "Devices";
}

/* ---- names ---------------------------------------------------------------------- */

const char *foreign_name(struct arena *a, const char *text)
{
	if (!text || !*text)
		return NULL;
	char *name = arena_strndup(a, text, strnlen(text, IMAGE_NAME_MAX - 1));
	for (char *c = name; *c; c++)
		if (!strchr(POLICY_NAME_BYTES, *c))
			*c = '-';
	return name;
}

static struct slice last_part(struct slice path)
{
	while (path.n > 1 && path.s[path.n - 1] == '/')
		path.n--;
	const char *slash = memrchr(path.s, '/', path.n);
	return slash ? (struct slice){slash + 1, path.n - (size_t)(slash + 1 - path.s)} : path;
}

/* A file that is called the same for every container is named by its directory. */
const char *foreign_file_name(struct arena *a, const char *file)
{
	static const char *const alike[] = {"config.json", "config", "devices.list"};
	struct slice base = last_part((struct slice){file, strlen(file)});
	if (!strcmp(file, "stdin"))
		return "imported";
	for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
		if (slice_is(base, alike[i]) && base.s > file + 1)
			base = last_part((struct slice){file, (size_t)(base.s - file)});
	const char *dot = memrchr(base.s, '.', base.n);
	if (dot && dot > base.s && !slice_is(base, "..") && !slice_is(base, "."))
		base.n = (size_t)(dot - base.s);
	const char *name = foreign_name(a, arena_strndup(a, base.s, base.n));
	return name && strspn(name, ".-") < strlen(name) ? name : "imported";
}

/* ---- errors ---------------------------------------------------------------------- */

int foreign_fail(struct diags *d, struct span at, const char *source, const struct fault *f)
{
	struct diag *diag = diag_add(d, DIAG_ERROR, at, f->hint, "%s", f->error);
	diag->source = source;
	if (d->errors == FOREIGN_ERRORS)
		diag_add(d, DIAG_ERROR, (struct span){.file = at.file}, "mend these first",
		         "%d errors: the rest was not read", FOREIGN_ERRORS);
	return -1;
}

int lines_fail(struct lines *l, const struct fault *f)
{
	return foreign_fail(l->d, (struct span){.file = l->file, .line = l->line},
	                    text_safe(l->d->arena, l->text.s, l->text.n, 200), f);
}

struct slice trimmed(struct slice s)
{
	while (s.n && strchr(" \t\r", s.s[0]))
		s.s++, s.n--;
	while (s.n && strchr(" \t\r", s.s[s.n - 1]))
		s.n--;
	return s;
}

bool lines_next(struct lines *l)
{
	if (!l->rest.n || l->d->errors > FOREIGN_ERRORS)
		return false;
	const char *end = memchr(l->rest.s, '\n', l->rest.n);
	struct slice line = {l->rest.s, end ? (size_t)(end - l->rest.s) : l->rest.n};
	size_t used = line.n + (end != NULL);
	l->rest = (struct slice){l->rest.s + used, l->rest.n - used};
	l->raw = line.n && line.s[line.n - 1] == '\r' ? (struct slice){line.s, line.n - 1} : line;
	l->text = trimmed(line);
	l->line++;
	return true;
}

/* ---- one rule ---------------------------------------------------------------------- */

#define RULE_HINT "a rule is a type, MAJOR:MINOR and access letters: c 195:* rwm"

static int read_side(struct fault *f, const char *what, struct slice s, int64_t max, int32_t *out)
{
	int64_t value = FOREIGN_ANY;
	if (!slice_is(s, "*") && read_number(f, what, s, (uint64_t)max, &value))
		return -1;
	*out = (int32_t)value;
	return 0;
}

static int read_devices(struct fault *f, char type, struct slice numbers, struct foreign_entry *e)
{
	struct slice major, minor;
	if (read_pair(f, type, numbers, PAIR_HINT, &major, &minor))
		return -1;
	e->types = (uint8_t)types_of(type);
	return read_side(f, "major", major, MAJOR_MAX, &e->major) ||
	               read_side(f, "minor", minor, MINOR_MAX, &e->minor)
	       ? -1
	       : 0;
}

int foreign_rule(struct fault *f, struct slice text, bool lone_a, struct foreign_entry *e)
{
	const struct words w = words_of(text);
	const struct slice *word = w.word;
	if (text_check(f, text.s, text.n))
		return -1;
	if (w.n == 0)
		return fault_set(f, RULE_HINT, "a rule is missing");
	if (lone_a && w.n == 1 && slice_is(word[0], "a")) {
		e->types = DEV_CHAR | DEV_BLOCK, e->access = ACC_ALL;
		e->major = e->minor = FOREIGN_ANY;
		return 0;
	}
	if (word[0].n != 1 || !strchr("cba", word[0].s[0])) {
		if (not_a_type(f, word[0], w.n > 1, "types are c (character), b (block) and a (any)"))
			return -1;
		return fault_set(f, RULE_HINT, "%s is not a rule", text_quoted(f->arena, text));
	}
	if (w.n == 1)
		return fault_set(f, RULE_HINT, "missing major:minor after '%c'", word[0].s[0]);
	if (read_devices(f, word[0].s[0], word[1], e))
		return -1;
	if (w.n == 2)
		return fault_set(f, RULE_HINT, "missing access letters after %s", text_quoted(f->arena, word[1]));
	if (w.n > 3)
		return fault_set(f, RULE_HINT, "unexpected %s after %s", text_quoted(f->arena, word[3]),
		                 text_quoted(f->arena, word[2]));
	int access = read_access(f, word[2]);
	e->access = (uint8_t)access;
	return access < 0 ? -1 : 0;
}
