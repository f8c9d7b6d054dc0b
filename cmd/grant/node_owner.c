/*
 * node_owner.c - mode and owner of a node in a container: those of the host's node, by number, as the container has ids.
 *
 * A user namespace gives each id another number. The node gets the id that the container calls by the number that the host's
 * node has; where it has no such id, its root's; where it has no root, that of the process.
 */
#include "cmd/grant/node_internal.h"
#include "policy/access.h"
#include "policy/event.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { ROOTS_ALONE = 0600, MAY_READ = 4, MAY_WRITE = 2 };

/* ---- of the host ------------------------------------------------------------------------------ */

static bool is_device(const struct stat *st, const struct node_wish *w)
{
	return (w->type == DEV_CHAR ? S_ISCHR(st->st_mode) : S_ISBLK(st->st_mode)) && major(st->st_rdev) == w->major &&
	       minor(st->st_rdev) == w->minor;
}

const char *owner_device(struct arena *a, const struct node_wish *w)
{
	char line[NODE_PATH];
	const char *found = NULL;
	FILE *f = fopen(arena_printf(a, "/sys/dev/%s/%u:%u/uevent", w->type == DEV_CHAR ? "char" : "block", w->major, w->minor), "re");
	while (f && !found && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "DEVNAME=", 8) && line[8] && line[8] != '/' && !strstr(line, ".."))
			found = arena_printf(a, "/dev/%s", line + 8);
	}
	if (f)
		fclose(f);
	return found;
}

/* ---- in the container ------------------------------------------------------------------------------ */

static int64_t outside(const struct id_map *map, uint32_t inside)
{
	for (size_t i = 0; i < map->n; i++)
		if (inside >= map->list[i].inside && inside - map->list[i].inside < map->list[i].count)
			return map->list[i].outside + (int64_t)(inside - map->list[i].inside);
	return -1;
}

static uint32_t id_for(const struct process_view *v, const struct id_map *map, uint32_t number, uint32_t own)
{
	int64_t same = outside(map, number), root = outside(map, 0);
	return v->initial_user_ns ? number : same >= 0 ? (uint32_t)same : root >= 0 ? (uint32_t)root : own;
}

int owner_find(struct arena *a, struct diags *d, const struct node_wish *w, const struct node_whose *whose, const char *path,
               struct node_owner *out)
{
	struct process_view v;
	struct stat st = {.st_mode = ROOTS_ALONE};
	if (process_view(a, d, &whose->held, &v))
		return -1;
	process_view_end(&v);
	if (path && (stat(path, &st) || !is_device(&st, w)))
		st = (struct stat){.st_mode = ROOTS_ALONE};
	*out = (struct node_owner){id_for(&v, &v.uids, st.st_uid, v.fsuid), id_for(&v, &v.gids, st.st_gid, v.fsgid), st.st_mode & 0777};
	return 0;
}

/* ---- of use? ------------------------------------------------------------------------------------------ */

static bool in_group(const struct process_view *v, uint32_t gid)
{
	bool in = v->fsgid == gid;
	for (size_t i = 0; i < v->ngroups; i++)
		in |= v->groups[i] == gid;
	return in;
}

static bool may(const struct process_view *v, const struct node_owner *o, unsigned want)
{
	bool known = v->initial_user_ns || (id_inside(&v->uids, o->uid) >= 0 && id_inside(&v->gids, o->gid) >= 0);
	unsigned bits = v->fsuid == o->uid ? o->mode >> 6 : in_group(v, o->gid) ? o->mode >> 3 : o->mode;
	return (known && v->caps & 1ull << CAP_DAC_OVERRIDE) || !(want & ~bits);
}

static const char *id_text(struct arena *a, const struct process_view *v, const struct id_map *map, uint32_t id)
{
	int64_t inside = v->initial_user_ns ? (int64_t)id : id_inside(map, id);
	return inside < 0 ? "nobody there" : arena_printf(a, "%lld", (long long)inside);
}

void owner_remark(struct arena *a, struct diags *d, const struct node_wish *w, const struct node_whose *whose, const struct node_owner *o,
                  const char *path)
{
	struct process_view v;
	struct diags none;
	unsigned want = (w->access & ACC_READ ? MAY_READ : 0u) | (w->access & ACC_WRITE ? MAY_WRITE : 0u);
	diags_init(&none, a);
	if (process_view(a, &none, &whose->held, &v))
		return;
	process_view_end(&v);
	if (may(&v, o, want))
		return;
	diag_add(d, DIAG_WARNING, (struct span){0},
	         arena_printf(a, "in the container, as its root: chmod o+%s%s %s", want & MAY_READ ? "r" : "", want & MAY_WRITE ? "w" : "", path),
	         "process %d of the container may not open %s: it runs as user %s, and the node is of user %s, group %s, mode %04o",
	         (int)whose->held.pid, path, id_text(a, &v, &v.uids, v.fsuid), id_text(a, &v, &v.uids, o->uid),
	         id_text(a, &v, &v.gids, o->gid), o->mode);
}
