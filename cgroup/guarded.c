/*
 * guarded.c - which cgroups have guards of ours below which grants open nothing: the map devguard_guards.
 *
 * What a cgroup has may change at any moment, and so may the host program: an entry is written, then the kernel is asked
 * again, until both agree. Whoever attaches a guard makes its entry before and looks again afterwards; whoever attaches
 * the host program looks at all cgroups before and afterwards. So whichever comes last sees the other. No lock is needed, which
 * matters: the guard of the root itself is attached under the lock that host programs are changed under.
 */
#include "cgroup/guarded.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

/* ---- what a cgroup has ------------------------------------------------------------------- */

/* Has it a guard of ours that does not allow grants? *at gets the first. 1, 0 or -1. */
int guard_refuses(struct arena *a, struct diags *d, const struct cgroup *cg, struct attached *at)
{
	struct attached *list;
	size_t n;
	const struct attached *unreadable;
	int programs = cgroup_programs(cg);
	if (!programs)
		return 0;
	if (list_attached(a, d, cg, &list, &n, &unreadable))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (list[i].ours && !list[i].grants) {
			*at = list[i];
			return 1;
		}
	if (unreadable)
		return diag_fail(d, error_hint(a, unreadable->unreadable, "see the kernel log"),
		                 "cannot tell whose program %u on '%s' is, and so not whether grants are allowed below it: %s",
		                 unreadable->id, cg->path, strerror(unreadable->unreadable));
	return 0;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* 0: none. */
static uint32_t read_entry(const struct hostmaps *m, uint64_t id)
{
	uint32_t value = 0;
	return bpf_map_lookup_elem(m->fd[HOSTPROG_MAP_GUARDS], &id, &value) ? 0 : value;
}

/* 0 or -errno. */
static int write_entry(const struct hostmaps *m, uint64_t id, uint32_t value)
{
	int fd = m->fd[HOSTPROG_MAP_GUARDS];
	int error = value ? bpf_map_update_elem(fd, &id, &value, BPF_ANY) : bpf_map_delete_elem(fd, &id);
	return !value && error == -ENOENT ? 0 : error;
}

/* Has one above it a guard that refuses? 1, 0 or -1. */
static int refused_above(struct arena *a, struct diags *d, const struct cgroup *cg)
{
	struct attached at;
	struct cgroup *up, *next;
	size_t errors = d->errors;
	int refuses = 0;
	for (up = cgroup_parent(a, d, cg); up; up = next) {
		refuses = refuses ? refuses : guard_refuses(a, d, up, &at);
		next = refuses ? NULL : cgroup_parent(a, d, up);
		cgroup_close(up);
	}
	return d->errors != errors ? -1 : refuses;
}

/* What the entry should be; `comes`: a guard that refuses is about to be attached. A program that is not told the cgroups above
 * looks for the caller's own entry only: there it stands also for guards above, and is looked at again at each sweep. -1 with a
 * diagnostic. */
static int64_t true_entry(struct arena *a, struct diags *d, const struct hostmaps *m, const struct cgroup *cg, bool comes)
{
	struct attached at;
	int refuses = guard_refuses(a, d, cg, &at);
	if (refuses)
		return refuses < 0 ? -1 : HOST_GUARD_REFUSES;
	if (!comes && !(m->features & HOSTPROG_ANCESTORS))
		refuses = refused_above(a, d, cg);
	return refuses < 0 ? -1 : refuses || comes ? HOST_GUARD_REFUSES | HOST_GUARD_UNSETTLED : 0;
}

static int no_room(struct diags *d, const struct cgroup *cg)
{
	return diag_fail(d, "`rucy-devguard revoke --all` ends all grants, and with them the need of that table",
	                 "the host program's table of guarded cgroups has no room for '%s': %d are in it, and without its entry grants would "
	                 "open what its policy denies", cg->path, HOSTPROG_GUARDS_MAX);
}

static void sweep_dead(struct arena *parent, const char *mount, const struct hostmaps *m);

/* Makes the entry true. 1: it refuses now and did not before, 0 or -1. */
static int settle(struct arena *a, struct diags *d, const struct hostmaps *m, const struct cgroup *cg, bool comes)
{
	enum { TRIES = 100 };
	uint32_t had = read_entry(m, cg->id), now = had;
	bool swept = false;
	for (int tries = 0; tries < TRIES; tries++) {
		int64_t want = true_entry(a, d, m, cg, comes);
		if (want < 0)
			return -1;
		if (want == now)
			return (now & ~had & HOST_GUARD_REFUSES) != 0;
		int error = write_entry(m, cg->id, (uint32_t)want);
		if (error == -E2BIG && swept)
			return no_room(d, cg);
		if (error && error != -E2BIG)
			return diag_fail(d, error_hint(a, -error, "see the kernel log"),
			                 "cannot tell the host program that '%s' is guarded: %s", cg->path, strerror(-error));
		if (error)
			sweep_dead(a, cg->mount, m);
		else
			now = (uint32_t)want;
		swept |= error != 0;
	}
	return diag_fail(d, "another tool changes it all the time: `rucy-devguard status` shows what is attached",
	                 "what is attached to '%s' does not come to rest", cg->path);
}

/* ---- of the dead -------------------------------------------------------------------------------- */

struct looking {
	struct arena *arena;
	const char *mount;
	struct entry { uint64_t id; bool lives; } *list; /* of cgroups that are gone, or not settled */
	size_t n, cap;
};

static void look_at(void *arg, const void *key, const void *value)
{
	struct looking *l = arg;
	uint64_t id;
	uint32_t flags;
	memcpy(&id, key, sizeof id);
	memcpy(&flags, value, sizeof flags);
	if (id == HOST_GUARD_FILLED)
		return;
	bool lives = cgroup_lives_at(l->mount, id);
	if (!lives || flags & HOST_GUARD_UNSETTLED)
		*ARENA_PUSH(l->arena, l->list, l->n, l->cap) = (struct entry){id, lives};
}

static struct looking look(struct arena *a, const char *mount, const struct hostmaps *m)
{
	struct looking l = {.arena = a, .mount = mount};
	hostmaps_each(m, HOSTPROG_MAP_GUARDS, look_at, &l);
	return l;
}

static void sweep_dead(struct arena *parent, const char *mount, const struct hostmaps *m)
{
	struct arena *a = arena_scratch(parent);
	struct looking l = look(a, mount, m);
	for (size_t i = 0; i < l.n; i++)
		if (!l.list[i].lives) /* an id is never given twice */
			write_entry(m, l.list[i].id, 0);
	arena_free(a);
}

void guarded_sweep(struct arena *parent, const char *mount, const struct hostmaps *m)
{
	struct arena *a = arena_scratch(parent);
	struct looking l = look(a, mount, m);
	struct diags ignored;
	diags_init(&ignored, a);
	for (size_t i = 0; i < l.n; i++) {
		char path[PATH_MAX];
		struct cgroup *cg;
		if (!l.list[i].lives) {
			write_entry(m, l.list[i].id, 0);
		} else if (cgroup_path_at(mount, l.list[i].id, path) && !cgroup_open(a, &ignored, arena_printf(a, "%s%s", mount, path), &cg)) {
			if (cg->id == l.list[i].id)
				settle(a, &ignored, m, cg, false);
			cgroup_close(cg);
		}
	}
	arena_free(a);
}

/* ---- many -------------------------------------------------------------------------------------- */

struct filling {
	struct arena *arena;
	struct diags *d;
	const struct hostmaps *m;
	const char *mount;
	const char *below; /* only those below this path from the mount on; NULL: all */
	bool comes;
	bool failed, changed;
};

static enum walk_step fill_one(void *arg, const struct cgroup_dir *dir)
{
	struct filling *f = arg;
	size_t n = f->below ? strlen(f->below) : 0;
	if (f->below && (strncmp(dir->path, f->below, n) || (dir->path[n] && dir->path[n] != '/' && n > 1)))
		return strncmp(dir->path, f->below, strlen(dir->path)) ? WALK_PAST : WALK_DOWN;
	struct arena *a = arena_scratch(f->arena);
	struct diags reason;
	diags_init(&reason, a);
	struct cgroup cg = {.fd = dir->fd, .id = dir->id, .mount = f->mount, .lock = -1};
	cg.path = arena_printf(a, "%s%s", f->mount, strcmp(dir->path, "/") ? dir->path : "");
	int changed = settle(a, &reason, f->m, &cg, f->comes);
	if (changed < 0 && !cgroup_gone(&cg)) {
		for (size_t i = 0; i < reason.n; i++)
			diag_fail(f->d, reason.items[i].hint, "%s", reason.items[i].text);
		f->failed = true;
	}
	f->changed |= changed > 0;
	arena_free(a);
	return f->failed ? WALK_END : WALK_DOWN;
}

/* The entries of those below a cgroup, which a program that is not told the cgroups above looks for. 0 or -1. */
static int settle_below(struct arena *a, struct diags *d, const struct hostmaps *m, const struct cgroup *cg, bool comes)
{
	char path[PATH_MAX];
	struct filling f = {.arena = a, .d = d, .m = m, .mount = cg->mount, .below = path, .comes = comes};
	if (m->features & HOSTPROG_ANCESTORS || !cgroup_path_at(cg->mount, cg->id, path))
		return 0;
	if (cgroup_walk(a, d, fill_one, &f) || f.failed)
		return -1;
	if (f.changed)
		wait_for_programs();
	return 0;
}

/* ---- one guard ----------------------------------------------------------------------------------- */

/* The host program over the cgroup, its maps open. 1, 0: there is none, -1. */
static int over(struct arena *a, struct diags *d, const struct cgroup *cg, struct host_found *found, struct hostmaps *m)
{
	if (hostprog_find(a, d, cg, found))
		return -1;
	if (found->fd < 0)
		return 0;
	int error = found->other ? 0 : hostmaps_open(found->fd, m);
	close(found->fd);
	if (found->other)
		return hostprog_two(a, d, found);
	if (error)
		return hostprog_unknown(a, d, found, -error);
	return 1;
}

int guarded_add(struct arena *a, struct diags *d, const struct cgroup *cg, bool grants)
{
	struct host_found found;
	struct hostmaps m;
	int is = over(a, d, cg, &found, &m);
	if (is <= 0)
		return is;
	int changed = settle(a, d, &m, cg, !grants);
	if (changed >= 0 && settle_below(a, d, &m, cg, !grants))
		changed = -1;
	hostmaps_close(&m);
	if (changed > 0)
		wait_for_programs(); /* that did not find the entry */
	return changed < 0 ? -1 : 0;
}

void guarded_renew(struct arena *parent, const struct cgroup *cg)
{
	struct arena *a = arena_scratch(parent);
	struct host_found found;
	struct hostmaps m;
	struct diags ignored;
	diags_init(&ignored, a);
	if (over(a, &ignored, cg, &found, &m) == 1) { /* an entry that stays keeps grants from opening anything */
		settle(a, &ignored, &m, cg, false);
		settle_below(a, &ignored, &m, cg, false);
		hostmaps_close(&m);
	}
	arena_free(a);
}

void guarded_look(struct arena *parent, const struct cgroup *cg)
{
	struct arena *a = arena_scratch(parent);
	struct host_found found;
	struct hostmaps m;
	struct diags ignored;
	struct cgroup *up = NULL;
	const struct cgroup *here = cg;
	diags_init(&ignored, a);
	if (over(a, &ignored, cg, &found, &m) == 1) {
		do {
			if (!(read_entry(&m, here->id) & HOST_GUARD_UNSETTLED)) /* somebody is at work there */
				settle(a, &ignored, &m, here, false);
			struct cgroup *next = cgroup_parent(a, &ignored, here);
			cgroup_close(up);
			here = up = next;
		} while (up);
		hostmaps_close(&m);
	}
	arena_free(a);
}

void guarded_unsettle(struct arena *parent, const struct cgroup *cg)
{
	struct arena *a = arena_scratch(parent);
	struct host_found found;
	struct hostmaps m;
	struct diags ignored;
	diags_init(&ignored, a);
	if (over(a, &ignored, cg, &found, &m) == 1) {
		uint32_t value = read_entry(&m, cg->id);
		if (value)
			write_entry(&m, cg->id, value | HOST_GUARD_UNSETTLED);
		hostmaps_close(&m);
	}
	arena_free(a);
}

/* ---- all of them ------------------------------------------------------------------------------------ */

bool guarded_filled(const struct hostmaps *m)
{
	return read_entry(m, HOST_GUARD_FILLED) != 0;
}

int guarded_fill(struct arena *a, struct diags *d, const struct cgroup *root, const struct hostmaps *m, bool attached)
{
	struct filling f = {.arena = a, .d = d, .m = m, .mount = root->mount};
	if (cgroup_walk(a, d, fill_one, &f) || f.failed)
		return -1;
	int error = attached ? write_entry(m, HOST_GUARD_FILLED, HOST_GUARD_UNSETTLED) : 0;
	if (error)
		return diag_fail(d, error_hint(a, -error, "see the kernel log"), "cannot tell the host program what is guarded: %s",
		                 strerror(-error));
	if (f.changed)
		wait_for_programs();
	return 0;
}
