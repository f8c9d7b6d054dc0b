/*
 * internal.h - a manifest as it was read. Private to policy/.
 */
#ifndef DEVGUARD_POLICY_MANIFEST_INTERNAL_H
#define DEVGUARD_POLICY_MANIFEST_INTERNAL_H

#include "policy/number.h"
#include "policy/yaml.h"
#include "policy/manifest/manifest.h"

/* A policy's name, and where it stands. */
struct policy_ref {
	const char *name;
	struct span at;
};

/* A parameter that an annotation may set. */
struct param_source {
	const char *name, *annotation;
	int64_t lo, hi;
	struct span at;
};

/* What an entry does with a container. */
struct action {
	enum ruling_kind kind;
	struct policy_ref policy;  /* name NULL: only an annotation names one */
	const char *pick;          /* the annotation that picks one of `among`, or NULL */
	struct policy_ref *among;
	size_t namong, among_cap;
	struct ruling_param *params;
	size_t nparams, params_cap;
	struct param_source *sources;
	size_t nsources, sources_cap;
	bool mode_given, audit_given;
	enum policy_mode mode;
	enum audit_level audit;
	uint32_t ring; /* 0: not given */
	const char *limit; /* NULL: not given */
};

/* Any of them; n == 0: no condition. */
struct globs {
	const char **items;
	size_t n, cap;
};

struct annotation_globs {
	const char *key;
	struct globs value;
};

enum rootless { ROOTLESS_ANY, ROOTLESS_NO, ROOTLESS_YES };

struct entry {
	const char *name;
	struct span at;
	struct annotation_globs *annotations;
	size_t nannotations, annotations_cap;
	struct globs id, container_name, image, cgroup;
	enum rootless rootless;
	struct action action;
};

struct manifest {
	const char *file;
	const char *text; /* for the lines in messages */
	size_t len;
	struct policy_ref *directories;
	size_t ndirectories, directories_cap;
	struct entry *entries;
	size_t nentries, entries_cap;
	struct manifest_entry *list; /* one for each entry */
	struct entry otherwise;      /* the default: without conditions */
};

/* ---- manifest/values.c ------------------------------------------------------ */

/* A manifest being read. */
struct reading {
	struct yaml y;
	struct arena *arena;
	struct manifest *m;
};

#define WORDS(array) (array), sizeof(array) / sizeof *(array)

/* All return 0, or -1 with a diagnostic that calls the value `key`. */
int value_word(struct reading *r, const char *key, const struct yaml_node *v, const char **out);
int value_boolean(struct reading *r, const char *key, const struct yaml_node *v, bool *out);
/* Position of a word among n. */
int value_choice(struct reading *r, const char *key, const struct yaml_node *v,
                 const char *const *words, size_t n, int *out);
int value_policy(struct reading *r, const char *key, const struct yaml_node *v,
                 struct policy_ref *out);
/* A list or mapping that is not empty. */
int value_need(struct reading *r, const char *key, const struct yaml_node *v, enum yaml_kind kind,
               const char *hint);
/* A mapping with no other keys than these n; `where` names it. */
int value_keys(struct reading *r, const char *where, const struct yaml_node *map,
               const char *const *known, size_t n);
/* Says that it is not what was wanted: -1. */
int value_wrong(struct reading *r, const char *key, const struct yaml_node *v, const char *wanted,
                const char *hint);
/* Is it a null of YAML: `key:` with nothing, ~, null? */
bool value_is_null(const struct yaml_node *v);

/* ---- manifest/action.c ------------------------------------------------------- */

/* The keys of an entry, or of the default, that say what is done. 0 or -1. */
int read_action(struct reading *r, const struct yaml_node *map, struct action *a);

/* ---- glob.c ---------------------------------------------------------------- */

/* `*` is any text, `?` a character, [a-z] one of them, [!a-z] none of them; in a
 * path `*`, `?` and [!...] stop at a slash and `**` does not. NULL, or what is wrong
 * with the pattern. */
const char *glob_check(const char *pattern);
bool glob_matches(const char *pattern, const char *text, bool path);

#endif
