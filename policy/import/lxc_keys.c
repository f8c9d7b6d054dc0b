/*
 * lxc_keys.c - lxc.cgroup2.devices.allow and .deny (and lxc.cgroup.devices.*)
 * of a container's configuration, in the order of its lines, and what they come to.
 * lxc.include is followed, as LXC does: a list without its `deny = a` would mean
 * another thing.
 *
 * On cgroup v2 LXC reads the keys of v2 only, so where there are some they are the
 * list. A key that is nearly one of these is an error: LXC does not start with
 * lxc.cgroup2.device.deny, and takes lxc.cgroup2.devices.alow for a denial. Lines
 * about other things are none of ours. Linear in the texts.
 */
#include "policy/import/lxc.h"

#include <string.h>

static const char *const device_keys[] = {"lxc.cgroup2.devices.allow", "lxc.cgroup2.devices.deny",
					  "lxc.cgroup.devices.allow", "lxc.cgroup.devices.deny"};
enum { DEVICE_KEYS = sizeof device_keys / sizeof *device_keys };

/* ---- keys ------------------------------------------------------------------------ */

/* "lxc.cgroup3.devices.allow", "lxc.devcies.deny": has a part like devices, and one
 * like cgroup before it or like allow or deny at its end. */
static bool parts_say_devices(struct arena *a, struct slice key)
{
	static const char *const devices[] = {"devices", "device"}, *const cgroups[] = {"cgroup", "cgroup2"};
	static const char *const verbs[] = {"allow", "deny"};
	bool cgroup = false, device = false, verb = false;
	while (key.n) {
		const char *dot = memchr(key.s, '.', key.n);
		struct slice part = {key.s, dot ? (size_t)(dot - key.s) : key.n};
		size_t used = part.n + (dot != NULL);
		key = (struct slice){key.s + used, key.n - used};
		cgroup |= !device && foreign_near(a, part, cgroups, 2);
		verb = device && foreign_near(a, part, verbs, 2);
		device |= foreign_near(a, part, devices, 2) != NULL;
	}
	return device && (cgroup || verb);
}

static int check_key(struct fault *f, struct slice key)
{
	const char *near = foreign_near(f->arena, key, device_keys, DEVICE_KEYS);
	char *name = arena_strndup(f->arena, key.s, key.n);
	bool ours = !strncmp(name, "lxc.cgroup.devices", 18) || !strncmp(name, "lxc.cgroup2.devices", 19);
	if (!near && !ours && !parts_say_devices(f->arena, key))
		return 0;
	return fault_set(f, near_hint(f->arena, near, "a key about devices is lxc.cgroup2.devices.allow or "
	                                              "lxc.cgroup2.devices.deny"),
	                 "unknown key %s", text_safe(f->arena, key.s, key.n, 64));
}

/* ---- values ----------------------------------------------------------------------- */

/* Forgets the entries before: of one version, or of one of its verbs. */
static void reset(struct lxc_config *c, bool v2, bool allow, bool both)
{
	c->forgotten[v2][allow] = c->out->n;
	if (both)
		c->forgotten[v2][!allow] = c->out->n;
	if (both || allow)
		c->out->nskipped = 0;
	c->seen[v2] = c->reset[v2] = true;
}

void lxc_forget(struct lxc_config *c)
{
	struct foreign *out = c->out;
	size_t kept = 0;
	for (size_t i = 0; i < out->n; i++)
		if (i >= c->forgotten[out->entries[i].v2][out->entries[i].allow])
			out->entries[kept++] = out->entries[i];
	out->n = kept;
}

/* A path with letters. LXC passes over a path it cannot look up, and over one
 * without letters, in a line that allows; over every path in a line that denies. */
static int path_line(struct lxc_config *c, const struct lines *l, struct fault *f, struct slice value,
                     struct foreign_entry *e)
{
	struct slice rest = value, path, letters, more;
	next_word(&rest, &path);
	if (text_check(f, value.s, value.n) || foreign_path_check(f, path))
		return -1;
	const char *name = arena_strndup(f->arena, path.s, path.n);
	if (!next_word(&rest, &letters)) {
		fault_set(f, arena_printf(f->arena, "write the letters, too: %s rwm", name),
		          "LXC passes over a path without access letters");
		if (!e->allow)
			return -1;
		foreign_skip_fault(c->out, l->file, l->line, f, name);
		return 0;
	}
	if (next_word(&rest, &more) && more.s[0] != '#')
		return fault_set(f, "one device a line: /dev/fuse rw", "unexpected %s after %s",
		                 text_quoted(f->arena, more), text_quoted(f->arena, letters));
	return foreign_add_path(c->out, f, path, letters, *e);
}

/* LXC 5 and 6 take one blank or tab between the parts of a rule, and at most three letters:
 * what stands behind three is passed over, behind fewer the line is. */
static const char *passed_over(struct slice rule, struct slice comment)
{
	const struct words w = words_of(rule);
	for (size_t i = 1; i < w.n; i++)
		if (w.word[i].s - (w.word[i - 1].s + w.word[i - 1].n) != 1)
			return "LXC passes over it: more than one blank between its parts";
	if (comment.n && w.word[2].n < 3)
		return "LXC passes over it: only behind three letters may a comment stand";
	return NULL;
}

/* A tab between the parts is as good as a blank. */
static struct slice without_tabs(struct arena *a, struct slice s)
{
	char *text = arena_strndup(a, s.s, s.n);
	for (char *tab = text; (tab = strchr(tab, '\t'));)
		*tab = ' ';
	return (struct slice){text, s.n};
}

static int rule_line(struct lxc_config *c, struct fault *f, struct slice value, struct foreign_entry *e)
{
	value = without_tabs(f->arena, value);
	const char *hash = memchr(value.s, '#', value.n);
	struct slice rule = trimmed((struct slice){value.s, hash ? (size_t)(hash - value.s) : value.n});
	struct slice comment = {hash, hash ? value.n - (size_t)(hash - value.s) : 0};
	if (text_check(f, value.s, value.n) || foreign_rule(f, rule, true, e))
		return -1;
	e->lone = slice_is(rule, "a");
	if (e->lone && comment.n)
		return fault_set(f, "put the comment into a line of its own", "LXC passes over the line: nothing may stand behind a");
	e->note = passed_over(rule, comment);
	e->passed_over = e->note != NULL;
	foreign_add(f->arena, c->out, *e);
	return 0;
}

static int device_line(struct lxc_config *c, const struct lines *l, struct fault *f, size_t key,
                       struct slice value)
{
	struct foreign_entry e = {.file = l->file, .place = (uint32_t)l->line, .v2 = key < 2, .allow = key % 2 == 0};
	if (!value.n) {
		reset(c, e.v2, e.allow, false);
		return 0;
	}
	c->seen[e.v2] = true;
	if (value.s[0] == '/')
		return path_line(c, l, f, value, &e);
	return rule_line(c, f, value, &e);
}

static int include(struct lxc_config *c, struct fault *f, struct slice value)
{
	const char **files;
	size_t n;
	struct slice text;
	if (include_files(f, value, &files, &n))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (include_read(&c->open, f, files[i], &text))
			return -1;
		c->open.depth++;
		lxc_read_text(c, files[i], text);
		c->open.depth--;
	}
	return 0;
}

/* As LXC reads it: the same quote at both ends is none of the value. */
static struct slice unquoted(struct slice s)
{
	bool quoted = s.n > 1 && strchr("\"'", s.s[0]) && s.s[s.n - 1] == s.s[0];
	return quoted ? (struct slice){s.s + 1, s.n - 2} : s;
}

int lxc_key(struct lxc_config *c, const struct lines *l, struct fault *f, struct slice key, struct slice value)
{
	bool v2 = slice_is(key, "lxc.cgroup2");
	c->lxc |= key.n > 4 && !memcmp(key.s, "lxc.", 4);
	value = unquoted(value);
	if (slice_is(key, "lxc.include"))
		return include(c, f, value);
	if (slice_is(key, "lxc.uts.name") || slice_is(key, "lxc.utsname")) {
		const char *called = foreign_name(f->arena, arena_strndup(f->arena, value.s, value.n));
		c->out->name = called ? called : c->out->name;
	}
	if (v2 || slice_is(key, "lxc.cgroup")) {
		if (value.n)
			return fault_set(f, "name the file of the cgroup: lxc.cgroup2.memory.max = 1G",
			                 "%s takes no value", v2 ? "lxc.cgroup2" : "lxc.cgroup");
		reset(c, v2, false, true);
		return 0;
	}
	for (size_t i = 0; i < DEVICE_KEYS; i++)
		if (slice_is(key, device_keys[i]))
			return device_line(c, l, f, i, value);
	return check_key(f, key);
}

/* ---- lines ------------------------------------------------------------------------ */

static int config_line(struct lxc_config *c, const struct lines *l, struct fault *f)
{
	const char *eq = memchr(l->text.s, '=', l->text.n);
	if (!eq)
		return fault_set(f, "a line is KEY = VALUE, or a comment with #", "missing '='");
	struct slice key = trimmed((struct slice){l->text.s, (size_t)(eq - l->text.s)});
	struct slice value = trimmed((struct slice){eq + 1, l->text.n - (size_t)(eq + 1 - l->text.s)});
	return lxc_key(c, l, f, key, value);
}

void lxc_read_text(struct lxc_config *c, const char *file, struct slice text)
{
	struct lines l = {.d = c->d, .out = c->out, .file = file, .rest = text};
	while (lines_next(&l)) {
		struct fault f = {.arena = c->d->arena};
		if (l.text.n && l.text.s[0] != '#' && config_line(c, &l, &f))
			lines_fail(&l, &f);
	}
}

/* ---- the whole --------------------------------------------------------------------- */

/* LXC reads the keys of the host's cgroup version. A policy is for v2. */
static void drop_v1(struct lxc_config *c)
{
	struct foreign *f = c->out;
	struct foreign_entry first = {0};
	size_t kept = 0, dropped = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (f->entries[i].v2)
			f->entries[kept++] = f->entries[i];
		else if (!dropped++)
			first = f->entries[i];
	}
	f->n = kept;
	if (dropped)
		foreign_note(c->d->arena, f, arena_printf(c->d->arena,
			"Not taken, as LXC reads them on cgroup v1 only: %zu lxc.cgroup.devices line%s, from %s:%u on.",
			dropped, dropped == 1 ? "" : "s", text_safe(c->d->arena, first.file, strlen(first.file), 200),
			first.place));
}

static void only_v1(struct lxc_config *c)
{
	foreign_note(c->d->arena, c->out,
	             "Only lxc.cgroup.devices keys, of cgroup v1. On cgroup v2 LXC 5 and 6 pass over them and deny "
	             "nothing, LXC 7 refuses them.");
	diag_add(c->d, DIAG_WARNING, (struct span){.file = c->out->file},
	         "on cgroup v2 write lxc.cgroup2.devices; there LXC 5 and 6 pass over these and deny nothing, LXC 7 "
	         "refuses them",
	         "only lxc.cgroup.devices keys, of cgroup v1: they are taken as the list");
}

/* Rules since the last `a` alone, and whether that was allowed. */
static size_t rules_left(const struct foreign *f, bool *allowed)
{
	size_t rules = 0;
	*allowed = false;
	for (size_t i = 0; i < f->n; i++) {
		const struct foreign_entry *e = &f->entries[i];
		rules = e->lone ? 0 : rules + 1;
		*allowed = e->lone ? e->allow : *allowed;
	}
	return rules;
}

void lxc_conclude(struct lxc_config *c)
{
	struct foreign *f = c->out;
	bool v2 = c->seen[1], allowed, left = f->nadded > 0;
	if (!c->seen[0] && !v2) {
		f->silent = "nothing in it is about devices: no lxc.cgroup2.devices.allow or .deny";
		f->silent_hint = f->silent_hint ? f->silent_hint
		                                : "LXC then denies nothing: write lxc.cgroup2.devices.deny = a and what to "
		                                  "allow; to allow every device, give --empty-is-allow";
		return;
	}
	if (v2)
		drop_v1(c);
	else
		only_v1(c);
	left |= rules_left(f, &allowed) || allowed || (!v2 && f->n);
	if (c->reset[v2] && !left) {
		f->n = 0;
		f->default_allow = true;
		f->open = "a line without a value empties the list, and LXC with an empty list filters nothing";
		return;
	}
	/* on v1, who begins by denying some devices means to leave the others open */
	f->default_allow = !v2 && f->n && !f->entries[0].allow;
}
