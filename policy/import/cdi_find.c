/*
 * cdi_find.c - devices of CDI that a list names, vendor.com/gpu=0: looked up on this host.
 *
 * As the engines do it: the *.json and *.yaml files of /etc/cdi and /var/run/cdi, where the
 * second directory wins, and two files of one that have the device are none. A file that others
 * than root can write is an error, and so is one that cannot be read: it may have the device.
 * Linear in the files.
 */
#include "policy/file.h"
#include "policy/import/cdi.h"
#include "policy/trusted.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPEC_MAX = 4 << 20, SPECS_MAX = 256, NAMES_MAX = 1024 };

struct found {
	struct cdi_spec spec;
	struct yaml_node root;
};

struct lookup {
	struct diags *d;
	struct foreign *f;
	const char *const *directories;
	size_t ndirectories;
	struct found *files;       /* of all directories, in their order */
	size_t n, cap;
	size_t *ends;              /* of each directory: behind its last file */
};

static int fail(struct lookup *l, const char *path, const char *hint, const char *why)
{
	struct fault f = {.arena = l->d->arena};
	fault_set(&f, hint, "%s", why);
	return foreign_fail(l->d, (struct span){.file = path}, NULL, &f);
}

/* ---- files ----------------------------------------------------------------------------- */

static int is_spec(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');
	return dot && (!strcmp(dot, ".json") || !strcmp(dot, ".yaml"));
}

static int read_file(struct lookup *l, const char *path, struct slice *out)
{
	struct file_text text = {0};
	const char *why;
	int fd, status = trusted_open(l->d->arena, path, &fd, &why);
	if (status)
		return fail(l, path, "only root may be able to write it: chown root, chmod go-w, and no symbolic links",
		            status > 0 ? "it is gone" : why);
	int error = read_text(fd, SPEC_MAX, &text);
	close(fd);
	char *kept = arena_strndup(l->d->arena, text.data ? text.data : "", error ? 0 : text.len);
	free(text.data);
	if (error)
		return fail(l, path, NULL, error == EFBIG ? "it is larger than 4 MiB" : strerror(error));
	*out = (struct slice){kept, text.len};
	return 0;
}

static int read_spec(struct lookup *l, const char *path)
{
	struct slice text = {0};
	struct found *one = ARENA_PUSH(l->d->arena, l->files, l->n, l->cap);
	if (read_file(l, path, &text))
		return -1;
	one->spec = (struct cdi_spec){.y = {.arena = l->d->arena, .diags = l->d, .file = path, .text = text.s, .len = text.n,
	                                    .begin = "cdiVersion: 0.6.0", .shorten = "leave out the devices that are not named"},
	                              .out = l->f};
	return yaml_read(&one->spec.y, &one->root) || cdi_open(&one->spec, &one->root) ? -1 : 0;
}

static int read_directory(struct lookup *l, const char *directory)
{
	struct dirent **names;
	char *real = realpath(directory, NULL);
	int n = real ? scandir(real, &names, is_spec, alphasort) : -1, rc = 0, error = errno;
	const char *path = real ? arena_strdup(l->d->arena, real) : directory;
	free(real);
	if (n < 0)
		return error == ENOENT ? 0 : fail(l, path, NULL, strerror(error));
	if (n > SPECS_MAX)
		rc = fail(l, path, NULL, "there are more than 256 specifications");
	for (int i = 0; i < n; i++) {
		const char *file = arena_printf(l->d->arena, "%s/%s", path, names[i]->d_name);
		free(names[i]);
		rc = rc || read_spec(l, file) ? -1 : 0;
	}
	free(names);
	return rc;
}

/* ---- a device -------------------------------------------------------------------------- */

static const char *all_directories(const struct lookup *l)
{
	const char *text = "";
	for (size_t i = 0; i < l->ndirectories; i++)
		text = arena_printf(l->d->arena, "%s%s%s", text, i ? " or " : "", l->directories[i]);
	return text;
}

/* A name with the same device of another kind that is nearly this one: `gpus=0`, not `gpu=1`. */
static const char *nearly(const struct lookup *l, const char *name)
{
	struct arena *a = l->d->arena;
	const char **all = arena_alloc(a, (l->n + 1) * sizeof *all), *device = strchr(name, '=') + 1;
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++) {
		const struct cdi_spec *spec = &l->files[i].spec;
		if (cdi_count(spec, device))
			all[n++] = arena_printf(a, "%s=%s", text_safe(a, spec->kind.s, spec->kind.n, 64), device);
	}
	return did_you_mean(name, all, n);
}

static const char *others_of_kind(const struct lookup *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct cdi_spec *spec = &l->files[i].spec;
		if (!strncmp(name, spec->kind.s, spec->kind.n) && name[spec->kind.n] == '=')
			return arena_printf(l->d->arena, "%s has %s", spec->y.file, cdi_names(spec));
	}
	return "make its specification with the vendor's tool, name another directory with --cdi-spec-dir";
}

/* Nobody has it: the line stays left out, and says where was looked. */
static void not_found(struct lookup *l, struct foreign_skip *s)
{
	struct arena *a = l->d->arena;
	const char *near = nearly(l, s->rule);
	s->cdi = false, s->near = near != NULL;
	s->why = arena_printf(a, "no specification in %s has the device %s", all_directories(l),
	                      text_quoted(a, (struct slice){s->rule, strlen(s->rule)}));
	s->hint = near ? arena_printf(a, "did you mean %s?", near)
	               : arena_printf(a, "%s, or make the line a comment: --skip-missing", others_of_kind(l, s->rule));
}

/* In the last directory that has it; 0 with NULL: in none. */
static int find(struct lookup *l, const char *name, struct found **out)
{
	*out = NULL;
	for (size_t i = l->ndirectories; i-- > 0 && !*out;)
		for (size_t k = i ? l->ends[i - 1] : 0; k < l->ends[i]; k++) {
			struct found *one = &l->files[k];
			bool qualified = !strncmp(name, one->spec.kind.s, one->spec.kind.n) && name[one->spec.kind.n] == '=';
			if (!qualified || !cdi_count(&one->spec, name))
				continue;
			if (*out)
				return fail(l, one->spec.y.file, "leave it in one of them: the engines give none of both",
				            arena_printf(l->d->arena, "the device %s is in %s, too", name, (*out)->spec.y.file));
			*out = one;
		}
	return 0;
}

static int look_up(struct lookup *l, struct foreign_skip s)
{
	struct found *at;
	size_t errors = l->d->errors;
	if (find(l, s.rule, &at))
		return -1;
	if (!at) {
		not_found(l, &s);
		foreign_skip(l->d->arena, l->f, s);
		return 0;
	}
	at->spec.entry = (struct foreign_entry){.allow = true, .in_requests = s.in_requests, .file = s.file, .place = s.line};
	at->spec.name = s.rule;
	cdi_give(&at->spec, s.rule);
	cdi_give_common(&at->spec, &at->root);
	return l->d->errors > errors ? -1 : 0;
}

int foreign_cdi_resolve(struct diags *d, struct foreign *f, const char *const *directories, size_t n)
{
	static const char *const usual[] = {"/etc/cdi", "/var/run/cdi"};
	struct lookup l = {.d = d, .f = f, .directories = n ? directories : usual, .ndirectories = n ? n : 2};
	const struct foreign_skip *skipped = f->skipped;
	size_t nskipped = f->nskipped, named = 0;
	int rc = 0;
	for (size_t i = 0; i < nskipped; i++)
		named += skipped[i].cdi;
	if (!named)
		return 0;
	if (named > NAMES_MAX)
		return fail(&l, f->file, "name fewer", "more than 1024 devices of CDI");
	l.ends = arena_alloc(d->arena, l.ndirectories * sizeof *l.ends);
	for (size_t i = 0; i < l.ndirectories && !f->open; i++) {
		rc |= read_directory(&l, l.directories[i]);
		l.ends[i] = l.n;
	}
	f->skipped = NULL, f->nskipped = f->skipped_cap = 0;
	for (size_t i = 0; i < nskipped && rc == 0; i++)
		if (skipped[i].cdi && !f->open) /* a privileged container has all */
			rc = look_up(&l, skipped[i]);
		else if (!skipped[i].cdi)
			foreign_skip(d->arena, f, skipped[i]);
	foreign_compare(d->arena, f);
	return rc;
}
