/* manifest.h - guard.yaml: which policy guards which container. */
#ifndef DEVGUARD_POLICY_MANIFEST_MANIFEST_H
#define DEVGUARD_POLICY_MANIFEST_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/diag.h"
#include "policy/rules.h"

struct manifest;

/* Reads the text of a manifest (rucy-devguard-guard.yaml(5)); `file` names it in
 * messages. 0, or -1: all that is wrong is reported, with line and column. */
int manifest_read(struct arena *a, struct diags *d, const char *file, const char *text, size_t len,
                  struct manifest **out);
/* Adds an error at a place of the manifest, with its line; always -1. */
int manifest_fail(const struct manifest *m, struct diags *d, struct span at, const char *hint,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

struct annotation {
	const char *key, *value;
};

/* What is known of a container. NULL: not known, and no condition on it holds. */
struct container {
	const char *id, *name, *image;
	const char *cgroup; /* from the mount of its hierarchy on: "/machine.slice/x" */
	bool rootless;
	const struct annotation *annotations;
	size_t nannotations;
};
/* Fills in name and image, where they are NULL, from the annotations that CRI-O
 * and containerd give. */
void container_describe(struct container *who);

enum ruling_kind { RULING_REFUSE, RULING_NONE, RULING_POLICY };

struct ruling_param {
	const char *name;
	int64_t value;
	struct span at;
};

/* What the manifest says about a container. */
struct ruling {
	const char *entry;      /* the name of the entry, or "default" */
	struct span at;         /* of the entry */
	enum ruling_kind kind;
	const char *why;        /* RULING_REFUSE: for people */
	const char *policy;     /* RULING_POLICY: its name, for manifest_policy_open() */
	struct span policy_at;  /* where it is named */
	const struct ruling_param *params;
	size_t nparams;
	bool mode_given, audit_given;
	enum policy_mode mode;
	enum audit_level audit;
	uint32_t ring;          /* bytes of the ring buffer, 0: not given */
	const char *limit;      /* for limits_parse(), which takes it; NULL: not given */
};

/* The first entry that matches decides, else the default. 0, or -1 with a
 * diagnostic: an annotation asks for what the manifest does not offer. */
int manifest_choose(struct arena *a, struct diags *d, const struct manifest *m,
                    const struct container *who, struct ruling *out);

/* The entries in order, without the default. */
struct manifest_entry {
	const char *name;
	struct span at;
	bool by_cgroup; /* its one condition is the cgroup, and no annotation is read */
};
size_t manifest_entries(const struct manifest *m, const struct manifest_entry **list);
/* manifest_choose() of a cgroup of which only the path is known: only entries
 * by_cgroup are asked, and not the default. False: none matches. */
bool manifest_choose_cgroup(struct arena *a, const struct manifest *m, const char *cgroup,
                            struct ruling *out);
/* Everything with a policy that manifest_choose() may answer, the default too:
 * parameters from annotations stand at the ends of their ranges. */
void manifest_variants(struct arena *a, const struct manifest *m, const struct ruling **list,
                       size_t *n);

/* The engines of which is known what they tell a hook. */
size_t manifest_engines(const char *const **names);
/* Warns of each entry that can never match on that one of them. */
void manifest_check_engine(struct arena *a, struct diags *d, const struct manifest *m, size_t engine);

struct policy_file {
	int fd;           /* for reading, O_CLOEXEC */
	const char *path;
};
/* Opens NAME.rb or NAME.o in the first directory of the manifest that has one.
 * What anybody but root could have written, or a symbolic link on the way, is
 * refused. `at` is where the manifest names it. 0, or with a diagnostic -1, or -2 when the
 * host could not tell. */
int manifest_policy_open(struct arena *a, struct diags *d, const struct manifest *m,
                         const char *name, struct span at, struct policy_file *out);

#endif
