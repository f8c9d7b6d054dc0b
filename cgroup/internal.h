/*
 * internal.h - what the files of cgroup/ share.
 */
#ifndef DEVGUARD_CGROUP_INTERNAL_H
#define DEVGUARD_CGROUP_INTERNAL_H

#include "cgroup/cgroup.h"

/* ---- system.c: small files, mounts, capabilities ---------------------------- */

/* Writes text to a file of a directory (AT_FDCWD allowed). 0 or -errno. */
int file_write(int dir, const char *path, const char *text);
/* Reads a small file, NUL-terminated, the last newline cut. Length or -errno. */
int file_read(int dir, const char *path, char *buf, size_t size);

struct mount {
	const char *point;
	const char *type; /* "cgroup", "cgroup2" or "bpf" */
	bool read_only;
};
/* The cgroup and BPF mounts as this process sees them, in mount order. */
void mounts_read(struct arena *a, struct mount **list, size_t *n);

/* Is the capability (CAP_* of <linux/capability.h>) in effect? */
bool capable(int cap);
/* Is this the user namespace the kernel asks for BPF capabilities in? */
bool initial_user_namespace(void);
/* Is the running kernel older than this version? */
bool kernel_before(unsigned major, unsigned minor);
/* A helper that tells a fact about the caller, and the first Linux that lets device
 * programs call it. */
struct fact_helper {
	int number; /* BPF_FUNC_* */
	const char *facts;
	unsigned major, minor;
};
enum { FACT_HELPERS = 5 };
extern const struct fact_helper fact_helpers[FACT_HELPERS];
/* What to do when the kernel let no program call it; `facts` is what was asked for. */
const char *fact_hint(struct arena *a, const struct fact_helper *f, const char *facts);
/* What to do when the kernel said EPERM: names the capabilities missing. */
const char *privilege_hint(struct arena *a);

/* ---- hierarchy.c ------------------------------------------------------------- */

/* Was the cgroup removed after it was opened? */
bool cgroup_gone(const struct cgroup *cg);
/* What to type where no cgroup v2 is to be seen, or where it is. */
const char *hierarchy_hint(struct arena *a);

/* ---- query.c ----------------------------------------------------------------- */

enum { CGROUP_PROGRAMS_MAX = 64 }; /* the kernel's BPF_CGROUP_MAX_PROGS */

enum reading { READ_GONE, READ_NOT, READ_OK };
/* Fills in all but attach_flags from an open program. READ_NOT when some of it,
 * and so whether it is ours, could not be read. */
enum reading describe_program(int fd, struct attached *at);
/* cgroup_query(), and *unreadable: the first program whose owner is not known, or 0. */
int list_attached(struct arena *a, struct diags *d, const struct cgroup *cg,
                  struct attached **list, size_t *n, uint32_t *unreadable);
/* The diagnostic for a cgroup that was removed after it was opened; -1. */
int cgroup_is_gone(struct diags *d, const struct cgroup *cg);
/* How many device programs the kernel asks for processes of this cgroup, its
 * own and those of ancestors (beyond the mount too). Count or -errno. */
int cgroup_effective(const struct cgroup *cg);

#endif
