/*
 * foreign_lxc.c - lxc.cgroup2.devices.allow and .deny (and lxc.cgroup.devices.*)
 * of a container's configuration, in the order of its lines. lxc.include is
 * followed, as LXC does: a list without its `deny = a` would mean another thing.
 *
 * Lines about other things are none of ours. Linear in the texts.
 */
#include "policy/foreign_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 16, INCLUDE_MAX = 4 << 20 };

struct config {
	struct diags *d;
	struct foreign *out;
	struct { dev_t dev; ino_t ino; } open[DEPTH_MAX]; /* the files being read, each within the one before */
	int depth;
	bool lxc; /* it has a key of LXC */
};

static void read_text(struct config *c, const char *file, struct slice text);

/* ---- includes ------------------------------------------------------------------ */

static int cannot_include(struct fault *f, const char *path, const char *why)
{
	return fault_set(f, "import on the host of the container, or take the line out and import both files as one",
	                 "cannot include %s: %s", text_quoted(f->arena, (struct slice){path, strlen(path)}), why);
}

/* Notes that the file is read from now on; false when it already is, or too deep. */
static bool enter(struct config *c, const char *path)
{
	struct stat st;
	if (c->depth == DEPTH_MAX || stat(path, &st))
		return false;
	for (int i = 0; i < c->depth; i++)
		if (c->open[i].dev == st.st_dev && c->open[i].ino == st.st_ino)
			return false;
	c->open[c->depth].dev = st.st_dev, c->open[c->depth].ino = st.st_ino;
	return true;
}

static int include_file(struct config *c, struct fault *f, const char *path)
{
	FILE *in = fopen(path, "re");
	if (!in)
		return cannot_include(f, path, strerror(errno));
	if (!enter(c, path)) {
		fclose(in);
		return cannot_include(f, path, "the files include each other");
	}
	size_t cap = 0, n = 0, got;
	char *text = NULL, chunk[1 << 14];
	while (n <= INCLUDE_MAX && (got = fread(chunk, 1, sizeof chunk, in)) > 0) {
		char *grown = n + got < cap ? text : realloc(text, cap = 2 * (n + got + 1));
		if (!grown)
			break;
		text = grown;
		memcpy(text + n, chunk, got);
		n += got;
	}
	bool whole = feof(in);
	fclose(in);
	char *kept = arena_strndup(c->d->arena, text ? text : "", whole ? n : 0);
	free(text);
	if (!whole)
		return cannot_include(f, path, "it cannot be read, or is larger than 4 MiB");
	if (memchr(kept, '\0', n))
		return cannot_include(f, path, "it is no text");
	c->depth++;
	read_text(c, arena_strdup(c->d->arena, path), (struct slice){kept, n});
	c->depth--;
	return 0;
}

static int is_conf(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 5 && !strcmp(e->d_name + n - 5, ".conf");
}

static int include_directory(struct config *c, struct fault *f, const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, is_conf, alphasort), rc = 0;
	if (n < 0)
		return cannot_include(f, path, strerror(errno));
	const char **files = arena_alloc(c->d->arena, ((size_t)n + 1) * sizeof *files);
	for (int i = 0; i < n; i++) {
		files[i] = arena_printf(c->d->arena, "%s/%s", path, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	for (int i = 0; i < n && rc == 0; i++)
		rc = include_file(c, f, files[i]);
	return rc;
}

static int include(struct config *c, struct fault *f, struct slice value)
{
	char *path = arena_strndup(c->d->arena, value.s, value.n);
	struct stat st;
	if (stat(path, &st))
		return cannot_include(f, path, strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return cannot_include(f, path, "it is no regular file");
	return S_ISDIR(st.st_mode) ? include_directory(c, f, path) : include_file(c, f, path);
}

/* ---- lines ------------------------------------------------------------------------ */

static int device_line(struct lines *l, struct fault *f, const char *key, struct slice value)
{
	struct foreign_entry e = {.file = l->file, .place = (uint32_t)l->line};
	const char *verb = strrchr(key, '.') + 1;
	e.allow = !strcmp(verb, "allow");
	if (!e.allow && strcmp(verb, "deny") != 0)
		return fault_set(f, "it ends in .allow or .deny", "unknown key %s",
		                 text_safe(f->arena, key, strlen(key), 64));
	if (!value.n)
		return fault_set(f, "take out the lines it is to forget, and it", "an empty value forgets lines before it");
	if (foreign_rule(f, value, true, &e))
		return -1;
	e.v2 = !strncmp(key, "lxc.cgroup2.", 12);
	foreign_add(f->arena, l->out, e);
	return 0;
}

static int config_line(struct config *c, struct lines *l, struct fault *f)
{
	const char *eq = memchr(l->text.s, '=', l->text.n);
	if (!eq)
		return fault_set(f, "a line is KEY = VALUE, or a comment with #", "missing '='");
	struct slice key = trimmed((struct slice){l->text.s, (size_t)(eq - l->text.s)});
	struct slice value = trimmed((struct slice){eq + 1, l->text.n - (size_t)(eq + 1 - l->text.s)});
	const char *name = arena_strndup(f->arena, key.s, key.n);
	c->lxc |= !strncmp(name, "lxc.", 4);
	if (slice_is(key, "lxc.include"))
		return include(c, f, value);
	if (slice_is(key, "lxc.uts.name") || slice_is(key, "lxc.utsname")) {
		const char *called = foreign_name(f->arena, arena_strndup(f->arena, value.s, value.n));
		c->out->name = called ? called : c->out->name;
	}
	if (!strncmp(name, "lxc.cgroup.devices", 18) || !strncmp(name, "lxc.cgroup2.devices", 19))
		return device_line(l, f, name, value);
	return 0;
}

static void read_text(struct config *c, const char *file, struct slice text)
{
	struct lines l = {.d = c->d, .out = c->out, .file = file, .rest = text};
	while (lines_next(&l)) {
		struct fault f = {.arena = c->d->arena};
		if (l.text.n && l.text.s[0] != '#' && config_line(c, &l, &f))
			lines_fail(&l, &f);
	}
}

int foreign_lxc(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	struct config c = {.d = d, .out = out};
	foreign_start(d, FOREIGN_LXC, file, out);
	c.depth = enter(&c, file); /* stdin is no file */
	read_text(&c, file, (struct slice){text, len});
	if (!c.lxc && !d->errors) {
		struct fault f = {.arena = d->arena};
		fault_set(&f, "give a container's config", "this is no LXC configuration: it has no lxc. key");
		foreign_fail(d, (struct span){.file = file}, NULL, &f);
	}
	if (d->errors)
		return -1;
	/* who begins by denying some devices means to leave the others open */
	out->default_allow = !out->n || !out->entries[0].allow;
	if (!out->n)
		foreign_note(d->arena, out, "No line is about devices: LXC denies nothing.");
	foreign_compare(d->arena, out);
	return 0;
}
