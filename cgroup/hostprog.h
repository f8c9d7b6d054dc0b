/*
 * hostprog.h - the host program (policy/hostprog.h) in the kernel: found, loaded, attached to the root of the
 * hierarchy in one step, its maps read and changed. It is attached without a link, so it stays when all of ours is
 * dead; its maps live as long as it. Who changes what is there holds the lock of the root cgroup (cgroup_lock()).
 */
#ifndef DEVGUARD_CGROUP_HOSTPROG_H
#define DEVGUARD_CGROUP_HOSTPROG_H

#include "cgroup/cgroup.h"
#include "policy/hostprog.h"

struct hostprog;

/* ---- hostload.c: what there can be ------------------------------------------------------ */

/* Makes the instructions of a host program; compiler/hostprog/ has it. image_reloc.target is an enum hostprog_map. */
typedef void hostprog_maker(struct arena *a, uint32_t parts, uint32_t features, struct image *out);

/* What the running kernel offers (enum hostprog_feature), by loading a small program for each. */
uint32_t hostprog_features(void);
/* NULL, or why there can be no host program here, in words that name the Linux it needs; *hint what to do. */
const char *hostprog_closed(struct arena *a, const char **hint);

/* ---- hostprog.c: the program --------------------------------------------------------- */

/* The host program that is attached, its maps held open; *out NULL: there is none. -1 with a diagnostic: no permission,
 * two of them, made by a version that this one does not know. Nothing is changed and no lock is needed. */
int hostprog_open(struct arena *a, struct diags *d, struct hostprog **out);
/* The same, attached first or replaced in one step by one with more parts where it lacks some of `parts` (its maps go
 * along). Sweeps what the dead left (hostprog_sweep()). The guarded cgroups are in its map before it returns. Takes the
 * lock, and keeps it until hostprog_close(). */
int hostprog_need(struct arena *a, struct diags *d, uint32_t parts, hostprog_maker *make, struct hostprog **out);
/* Opened for a change, the lock taken as above; *out NULL: there is none, and nothing is locked. */
int hostprog_change(struct arena *a, struct diags *d, struct hostprog **out);
/* Gives the lock back, keeps the rest. */
void hostprog_unlock(struct hostprog *hp);
/* Replaced by one with only the parts that grants and watchers need now, or detached where they need none. Under the
 * lock. 0 or -1. */
int hostprog_settle(struct arena *a, struct diags *d, struct hostprog *hp, hostprog_maker *make);
void hostprog_close(struct hostprog *hp);
/* What a command does before it ends, and one that only looks, too: what the dead left is taken out, and the program with it where
 * nothing needs it any more. Takes the lock. 0, also where there is none, or -1. */
int hostprog_tidy(struct arena *a, struct diags *d, hostprog_maker *make);

struct hostprog_info {
	uint32_t id, parts, features;
	char tool[17];
	const char *root;    /* path of the cgroup it is on, or "above PATH": from a namespace */
	unsigned after;      /* programs on the root that are attached behind it: what these deny, it does not see */
	uint64_t loaded_at;  /* seconds since the epoch */
	size_t watchers;     /* in use */
	size_t pinned;       /* of them, by --pin */
	bool genuine;        /* its instructions are those that `make` gives for its parts */
};
/* 0 or -1. */
int hostprog_info(struct arena *a, struct diags *d, struct hostprog *hp, hostprog_maker *make, struct hostprog_info *out);

/* ---- hostsweep.c -------------------------------------------------------------------------- */

/* Takes out what nobody needs any more. Watchers whose process is dead, with their counts. Guards of cgroups that are gone. A
 * grant whose cgroup is gone is over from now on. Grants that are over for an hour go, but those with a node stay, and those for a
 * container by name whose time is not over (the hook looks for them). Counts of cgroups that are gone are added up, as of
 * cgroup 0, when half of their room is taken. Under the lock. */
void hostprog_sweep(struct arena *a, struct hostprog *hp);

/* ---- grants.c ------------------------------------------------------------------------ */

/* Adds a grant of n entries (ids and times are filled in by the caller), or lets each take the place of one with its key. All or
 * none. Under the lock. 0 or -1. */
int grant_put(struct arena *a, struct diags *d, struct hostprog *hp, const struct host_grant *list, size_t n);
/* Takes entries out: how many of these were there, or -1. No program that is running now still sees them on return. Under the
 * lock. */
int grant_remove(struct diags *d, struct hostprog *hp, const struct grant_key *keys, size_t n);
/* All there are, by time and id. 0 or -1. */
int grants_read(struct arena *a, struct diags *d, struct hostprog *hp, struct host_grant **list, size_t *n);
/* The id for the next of `wanted` grants, beside these n: one that no grant had since the host program was attached. Under the
 * lock. */
uint64_t grant_next_id(struct hostprog *hp, const struct host_grant *list, size_t n, size_t wanted);
/* CLOCK_BOOTTIME ns of the first time namespace, as programs have it: by it grants end. */
uint64_t boot_ns(void);
/* The first guard of ours on the cgroup or above it whose policy does not say `grants :allowed`, in *at and *path; at->ours false:
 * none. The host program is told of them, where it was not. 0 or -1. */
int grants_refused_by(struct arena *a, struct diags *d, const struct cgroup *cg, struct attached *at, const char **path);

/* ---- guarded.c ------------------------------------------------------------------------- */

/* To be called before a guard of ours is attached to a cgroup, and again when it was: where there is a host program, no
 * grant opens anything below it unless `grants`. Sets what is true of the cgroup's guards together with this one. No lock is needed. 0, or
 * -1 with a diagnostic: the guard must not be attached. */
int guarded_add(struct arena *a, struct diags *d, const struct cgroup *cg, bool grants);
/* When one is about to be detached: should this tool be killed, the next one looks again. */
void guarded_unsettle(struct arena *a, const struct cgroup *cg);
/* When one was detached: what is true of those that are left. */
void guarded_renew(struct arena *a, const struct cgroup *cg);

/* ---- watcher.c ---------------------------------------------------------------------------- */

struct watcher; /* one of HOSTPROG_WATCHERS, with a ring buffer of its own; free again when its process ends */

/* Takes a free one. cg NULL: everywhere. `flags`: WATCHER_ALL, _PERMIT, _GRANTED, _PINNED. ring: bytes, 0: 1 MiB. Under the
 * lock. 0, or -1: all are taken (names their processes), ... */
int watcher_new(struct arena *a, struct diags *d, struct hostprog *hp, const struct cgroup *cg, uint32_t flags, uint32_t ring,
                struct watcher **out);
/* The pinned one of that cgroup (NULL: everywhere); claimed by this process: only one reads it. *out NULL: there is
 * none. */
int watcher_pinned(struct arena *a, struct diags *d, struct hostprog *hp, const struct cgroup *cg, struct watcher **out);
/* WATCHER_PERMIT: lets denied requests pass for so many nanoseconds from now on. */
int watcher_permit(struct diags *d, struct watcher *w, uint64_t ns);
/* Waits up to timeout_ms for records and gives each to `one`, which returns false to stop. How many were given, or -1; a
 * signal ends the wait (0). */
int watcher_poll(struct diags *d, struct watcher *w, int timeout_ms, bool (*one)(void *arg, const struct host_event *e), void *arg);
/* For poll(2). */
int watcher_fd(const struct watcher *w);
/* Does the host program that is attached now still have this watcher (nobody detached it)? */
bool watcher_lives(struct watcher *w);
/* `below`: of cgroups below it that had no room of their own (devguard_coarse); of cgroup 0: of some that are gone. */
struct host_count_entry { uint64_t cgroup; uint32_t watcher; bool below; struct host_count count; };
/* What was counted for it (NULL: for all watchers, and of grants), by cgroup. *uncounted: requests without a place. 0 or -1. */
int watcher_counts(struct arena *a, struct diags *d, struct hostprog *hp, const struct watcher *w, struct host_count_entry **list,
                   size_t *n, uint64_t *uncounted);
/* Has the place of that number a process? One that is pinned needs none: yes. */
bool watcher_alive(struct hostprog *hp, int number);
/* Its number; -1: none. */
int watcher_number(const struct watcher *w);
/* All in use, for `list` and `doctor`: number k is list[k], flags 0: free. */
int watchers_read(struct diags *d, struct hostprog *hp, struct host_watcher list[HOSTPROG_WATCHERS]);
/* Frees it: its records and counts are gone. Under the lock. A pinned one stays, and can be opened again. */
void watcher_close(struct watcher *w);
/* Frees it also when it is pinned. */
void watcher_end(struct watcher *w);

#endif
