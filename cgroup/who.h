/* who.h - which files and cgroups the names in a policy are, here and now. */
#ifndef DEVGUARD_CGROUP_WHO_H
#define DEVGUARD_CGROUP_WHO_H

#include "policy/asked.h"
#include "policy/image.h"

struct bpf_object;
struct cgroup;
struct container_process;

/* ---- who.c ------------------------------------------------------------------------------ */

/* What one name is. */
struct who_name {
	const struct path_named *named;
	struct who_key key;
	const char *why; /* it is nothing here, and matches nothing: why; NULL: it is `key` */
	const char *real; /* of a file: its name without links, as far as it was gone */
	const char *fix; /* what to do about that, or NULL */
	bool absent;     /* why: there is none of that name */
};
/* The root directory of a container, in which files were looked for. */
struct who_root { uint64_t inode, device; uint32_t mounts; /* the mount namespace of a process that has it */ };
struct who {
	struct who_name *list;
	size_t n;
	struct who_root root; /* inode 0: that of this host */
};
/* Finds what a policy names. `exe_root`: files are looked for in that directory as if it were the root, as those see
 * them who run there; NULL: in the root of this process. 0, or -1 with a diagnostic: the kernel cannot be asked, or two names
 * are one file. */
int who_find(struct arena *a, struct diags *d, const struct asked *asked, const char *exe_root, struct who *out);

/* ---- who_root.c ---------------------------------------------------------------------------- */

/* Is it the root directory of what runs in the cgroup, and of nobody else who runs there? 0, or -1 with a diagnostic; a warning
 * where some there have another root directory than this one and the host's. */
int who_root_check(struct arena *a, struct diags *d, const struct cgroup *cg, const char *exe_root, struct who_root *out);
/* That root directory as a process there has it, for who_find(); NULL: none has it any more. */
const char *who_root_find(struct arena *a, const struct cgroup *cg, const struct who_root *root);
/* Of a container that begins: has its process gone to another root directory than that of this host? 1 or 0; -1 with a
 * diagnostic: it has no mount namespace of its own, or it cannot be told. */
int who_root_begun(struct arena *a, struct diags *d, const struct container_process *p);
/* The root directory that it has or, where it has not gone to it, is about to have: `path` (absolute; NULL: the one that it has)
 * as its process sees it, with the mounts that are there for the container alone. Its descriptor, to be closed; WHO_ROOT_HOSTS,
 * with a warning: it is that of this host; -1 with a diagnostic: it cannot be told, or somebody else in the cgroup has that of
 * this host. A warning as who_root_check()'s. */
enum { WHO_ROOT_HOSTS = -2 };
int who_root_begin(struct arena *a, struct diags *d, const struct container_process *p, const struct cgroup *cg, const char *path,
                   struct who_root *out);

/* ---- who_map.c ---------------------------------------------------------------------------- */

/* The map of a loaded program that is ours, a descriptor; -ENOENT: it has none, or is gone; or -errno. */
int who_map_of(uint32_t program);
/* What it holds; to be told by its values. *root: in which the files were looked for. 0 or -errno. */
struct who_entry { struct who_key key; uint64_t value; };
int who_map_read(struct arena *a, int map, struct who_entry **list, size_t *n, struct who_root *root);
/* Of an object: before it is loaded, room for what was found, and after it was, what was found. 0 or -1. */
void who_map_size(struct bpf_object *object, const struct who *who);
int who_map_fill(struct diags *d, const char *policy, const struct bpf_object *object, const struct who *who);

/* ---- who_kernel.c --------------------------------------------------------------------------- */

/* What is read of the calling task: inputs from IN_EUID to IN_PARENT_EXE, and kinds of questions, 1 << enum ask_kind. */
struct who_reads { input_set facts; uint32_t asks; };
/* Can this kernel's types tell all of it? 0, or -1 with a diagnostic that names what cannot be read. */
int who_readable(struct arena *a, struct diags *d, const char *policy, const struct who_reads *reads);
/* How programs may read the calling task here: FEATURE_TASK_BTF, FEATURE_TASK_READ. */
uint32_t who_features(void);
/* That, for `doctor`. */
struct host_check;
void who_check(struct arena *a, struct host_check *c);

#endif
