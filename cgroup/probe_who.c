/*
 * probe_who.c - files and cgroups that stand for those of a request.
 *
 * A program knows a name of its policy by what its map says: this inode, that cgroup. So the asker need not run
 * /usr/bin/qemu in /machine.slice: its own executable is put into the map with the value of that name, and so are the
 * scratch cgroup and others below it, one for each part of the path. Only into the map of a program that was loaded
 * for the probe: on the map of one that guards something, others rely.
 */
#include "cgroup/probe_who.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "cgroup/identity.h"
#include "cgroup/internal.h"
#include "cgroup/who.h"

/* ---- files -------------------------------------------------------------------------------- */

/* Programs take a file for the one that was named only where nobody but root can change it. */
static const char *unfit(struct arena *a, const char *path, const struct identity *id)
{
	if (id->untold)
		return arena_printf(a, "%s stands for the executable, and it is on btrfs, of which this kernel does not tell enough", path);
	if (!id->owner && !(id->mode & (S_IWGRP | S_IWOTH)))
		return NULL;
	return arena_printf(a, "%s stands for the executable, and it is not root's alone", path);
}

static int identify(struct arena *a, struct diags *d, const char *path, const char *called, struct stand_file *out)
{
	struct identity id = {0};
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		out->why = arena_printf(a, "%s, which is to stand for an executable, cannot be opened", called);
		return 0;
	}
	int failed = identities_of(a, d, &fd, 1, &id);
	close(fd);
	if (failed)
		return -1;
	out->key = identity_key(&id);
	out->why = unfit(a, called, &id);
	return 0;
}

static bool same_file(const struct stand_file *x, const struct stand_file *y)
{
	return !memcmp(&x->key, &y->key, sizeof x->key);
}

/* Value 0: the name of none. 0 or errno. */
static int say(const struct probe_who *w, const struct who_key *key, int64_t value)
{
	uint64_t v = (uint64_t)value;
	int error = value ? -bpf_map_update_elem(w->map, key, &v, BPF_ANY) : -bpf_map_delete_elem(w->map, key);
	return error == ENOENT && !value ? 0 : error;
}

static const char *put(struct probe_who *w, const struct stand_file *f, int64_t value)
{
	int error = value && f->why ? 0 : say(w, &f->key, value);
	if (value && f->why)
		return f->why;
	return error ? arena_printf(w->arena, "the map of names: %s", strerror(error)) : NULL;
}

/* The asker and its parent run the same file, or its parent another. */
static const char *set_files(struct probe_who *w, const struct request *r, struct question *q)
{
	bool exe = r->known & INPUT(IN_EXE), parent = r->known & INPUT(IN_PARENT_EXE);
	bool differ = exe && parent && r->fact[IN_EXE] != r->fact[IN_PARENT_EXE];
	int64_t own = exe ? r->fact[IN_EXE] : parent ? r->fact[IN_PARENT_EXE] : 0;
	if (differ && (!w->parent.key.id || same_file(&w->own, &w->parent)))
		return "there is no other program here that its parent could run";
	q->adopt |= differ ? ADOPT_PARENT : 0;
	const char *why = put(w, &w->own, own);
	if (!why && !same_file(&w->own, &w->parent))
		why = put(w, &w->parent, differ ? r->fact[IN_PARENT_EXE] : 0);
	return why;
}

/* ---- cgroups ------------------------------------------------------------------------------ */

/* Is the mounted hierarchy all of it? A process in a cgroup namespace sees a part. */
static bool whole_hierarchy(const struct cgroup *cg)
{
	char type[PATH_MAX];
	int n = snprintf(type, sizeof type, "%s/cgroup.type", cg->mount);
	return n > 0 && (size_t)n < sizeof type && access(type, F_OK) && errno == ENOENT;
}

/* One more below the last, and the asker in it. */
static const char *deeper(struct probe_who *w, pid_t asker)
{
	struct diags d;
	const struct cgroup *up = w->levels[w->nlevels - 1];
	diags_init(&d, w->arena);
	if (mkdirat(up->fd, "below", 0755))
		return arena_printf(w->arena, "no cgroup can be made below the scratch cgroup: %s", strerror(errno));
	if (cgroup_open(w->arena, &d, arena_printf(w->arena, "%s/below", up->path), &w->levels[w->nlevels]))
		return d.items[0].text;
	w->nlevels++;
	return transient_enter(&d, w->levels[w->nlevels - 1], asker) ? d.items[0].text : NULL;
}

/* The first is a child of the root, as that of the request's path is. */
static const char *set_cgroups(struct probe_who *w, const struct request *r, pid_t asker)
{
	size_t n = r->who.known & WHO_CGROUP ? r->who.nunder : 0;
	const char *why = NULL;
	if (n && !whole_hierarchy(w->levels[0]))
		return "this process sees only a part of the cgroup hierarchy";
	while (!why && w->nlevels < n)
		why = deeper(w, asker);
	for (size_t i = 0; !why && i < w->nlevels; i++) {
		struct who_key key = {.id = w->levels[i]->id, .device = WHO_DEVICE_CGROUP};
		int error = say(w, &key, i < n ? r->who.under[i] : 0);
		why = error ? arena_printf(w->arena, "the map of names: %s", strerror(error)) : NULL;
	}
	return why;
}

/* ---- open, set, close ------------------------------------------------------------------------ */

int probe_who_open(struct arena *a, struct diags *d, const struct program *p, struct probe_who *w)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof info;
	if (bpf_obj_get_info_by_fd(program_fd(p), &info, &size))
		return diag_fail(d, privilege_hint(a), "cannot ask about a program: %s", strerror(errno));
	w->map = who_map_of(info.id);
	if (w->map == -ENOENT)
		return 0;
	if (w->map < 0)
		return diag_fail(d, error_hint(a, -w->map, "see the kernel log"), "cannot tell which files and cgroups the program knows: %s",
		                 strerror(-w->map));
	return identify(a, d, "/proc/self/exe", "this program's file", &w->own) ||
	                       identify(a, d, parent_program(), "cat", &w->parent)
	               ? -1
	               : 0;
}

const char *probe_who_set(struct probe_who *w, const struct request *r, pid_t asker, struct question *q)
{
	bool named = r->known & (INPUT(IN_EXE) | INPUT(IN_PARENT_EXE)) || r->who.known & WHO_CGROUP;
	if (w->foreign && named)
		return "which files and cgroups its program knows is not ours to change";
	if (w->map < 0) /* it asks for none */
		return NULL;
	const char *why = set_files(w, r, q);
	return why ? why : set_cgroups(w, r, asker);
}

void probe_who_close(struct probe_who *w)
{
	if (w->map >= 0)
		close(w->map);
	for (size_t i = 1; i < w->nlevels; i++)
		cgroup_close(w->levels[i]);
}
