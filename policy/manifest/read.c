/*
 * read.c - guard.yaml to a struct manifest: which keys there are, and
 * what their values may be. Everything that is wrong is reported, key by key.
 */
#include "policy/manifest/internal.h"

#include <string.h>

/* ---- conditions ---------------------------------------------------------------------- */

static int read_glob(struct reading *r, const char *key, const struct yaml_node *v,
                     struct globs *out)
{
	const char *text, *wrong;
	bool path = !strcmp(key, "cgroup");
	if (value_word(r, key, v, &text))
		return -1;
	if (!*text)
		return yaml_fail(&r->y, v->at, "\"*\" is any text", "%s is empty text", key);
	if ((wrong = glob_check(text)))
		return yaml_fail(&r->y, v->at, "* is any text, ? a character, [a-z] one of them, [*] a star",
		                 "%s in %s: %s", text_quoted(r->arena, v->text), key, wrong);
	if (path && (*text != '/' || text[1] == '\0' || text[v->text.n - 1] == '/'))
		return yaml_fail(&r->y, v->at,
		                 "it starts at the mount of the hierarchy: \"/machine.slice/*\"",
		                 "%s is no path of a cgroup", text_quoted(r->arena, v->text));
	*ARENA_PUSH(r->arena, out->items, out->n, out->cap) = text;
	return 0;
}

/* A glob, or a list of globs of which one must match. */
static int read_globs(struct reading *r, const char *key, const struct yaml_node *v,
                      struct globs *out)
{
	int failed = 0;
	if (v->kind == YAML_TEXT)
		return read_glob(r, key, v, out);
	if (value_need(r, key, v, YAML_LIST, "write a glob, or a list of globs: [\"a*\", \"b*\"]"))
		return -1;
	for (size_t i = 0; i < v->n; i++)
		failed |= read_glob(r, key, &v->items[i], out);
	return failed;
}

static int read_annotations(struct reading *r, const struct yaml_node *v, struct entry *e)
{
	int failed = 0;
	if (value_need(r, "annotations", v, YAML_MAP, "write annotations: {KEY: GLOB}"))
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		const struct yaml_node *key = &v->keys[i];
		struct annotation_globs *g =
			ARENA_PUSH(r->arena, e->annotations, e->nannotations, e->annotations_cap);
		*g = (struct annotation_globs){.key = key->text.s};
		if (!key->text.n || value_is_null(key))
			failed = yaml_fail(&r->y, key->at, "write the annotation's key",
			                   "an annotation without a name");
		failed |= read_globs(r, arena_printf(r->arena, "annotation %s",
		                                     text_safe(r->arena, key->text.s, key->text.n, 64)),
		                     &v->items[i], &g->value);
	}
	return failed;
}

static int read_conditions(struct reading *r, const struct yaml_node *map, struct entry *e)
{
	const struct yaml_node *v;
	bool yes = false;
	int failed = 0;
	struct {
		const char *key;
		struct globs *globs;
	} texts[] = {{"id", &e->id},
	             {"container_name", &e->container_name},
	             {"image", &e->image},
	             {"cgroup", &e->cgroup}};
	size_t conditions = 0;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (!(v = yaml_value(map, texts[i].key)))
			continue;
		conditions++;
		failed |= read_globs(r, texts[i].key, v, texts[i].globs);
	}
	if ((v = yaml_value(map, "annotations")) && ++conditions)
		failed |= read_annotations(r, v, e);
	if ((v = yaml_value(map, "rootless")) && ++conditions) {
		failed |= value_boolean(r, "rootless", v, &yes);
		e->rootless = yes ? ROOTLESS_YES : ROOTLESS_NO;
	}
	if (!conditions)
		return yaml_fail(&r->y, map->at,
		                 "give annotations, id, container_name, image, cgroup or rootless; what "
		                 "nothing matches is for default:",
		                 "the entry has no condition");
	return failed;
}

/* ---- the whole --------------------------------------------------------------------------------- */

static int read_entry(struct reading *r, const struct yaml_node *map, struct entry *e)
{
	static const char *const known[] = {
		"name",   "annotations", "id",     "container_name", "image", "cgroup", "rootless", "policy",
		"policy_from", "params", "params_from", "mode",      "audit", "ring",   "limit",    "none",   "refuse"};
	const struct yaml_node *name;
	if (value_need(r, "an entry of match", map, YAML_MAP, "write - name: NAME and its conditions below"))
		return -1;
	e->at = map->at;
	int failed = value_keys(r, "an entry of match", map, WORDS(known));
	name = yaml_value(map, "name");
	if (!name)
		failed = yaml_fail(&r->y, map->at, "messages call it by its name: name: gpu workers",
		                   "the entry has no name");
	else
		failed |= value_word(r, "name", name, &e->name);
	for (struct entry *other = r->m->entries; name && e->name && other < e; other++)
		if (other->name && !strcmp(other->name, e->name))
			failed = yaml_fail(&r->y, name->at, "give each entry a name of its own",
			                   "the name %s is given twice: first in line %d",
			                   text_quoted(r->arena, name->text), other->at.line);
	failed |= read_conditions(r, map, e);
	return failed | read_action(r, map, &e->action);
}

static int read_entries(struct reading *r, const struct yaml_node *v)
{
	struct manifest *m = r->m;
	int failed = 0;
	if (value_need(r, "match", v, YAML_LIST, "write match: and entries below it, each after a -"))
		return -1;
	m->entries = arena_alloc(r->arena, v->n * sizeof *m->entries);
	m->list = arena_alloc(r->arena, v->n * sizeof *m->list);
	for (size_t i = 0; i < v->n; i++) {
		struct entry *e = &m->entries[m->nentries++];
		failed |= read_entry(r, &v->items[i], e);
		bool others = e->nannotations || e->id.n || e->container_name.n || e->image.n ||
		              e->rootless != ROOTLESS_ANY || e->action.pick || e->action.nsources;
		m->list[i] = (struct manifest_entry){e->name, e->at, e->cgroup.n && !others};
	}
	return failed;
}

static int read_default(struct reading *r, const struct yaml_node *v)
{
	static const char *const known[] = {"policy", "policy_from", "params", "params_from",
	                                    "mode",   "audit",       "ring",   "limit",      "none",   "refuse"};
	static const char *const words[] = {"refuse", "none"};
	struct entry *e = &r->m->otherwise;
	int word = 0;
	e->at = v->at;
	if (v->kind != YAML_MAP) {
		if (value_choice(r, "default", v, WORDS(words), &word))
			return -1;
		e->action.kind = word ? RULING_NONE : RULING_REFUSE;
		return 0;
	}
	int failed = value_keys(r, "default", v, WORDS(known));
	return failed | read_action(r, v, &e->action);
}

/* Absolute, and as it is: no `.`, `..` or empty part. */
static bool plain_path(const char *path)
{
	if (*path != '/' || !path[1])
		return false;
	while (*path) {
		size_t n = strcspn(++path, "/");
		if (!n || (n == 1 && *path == '.') || (n == 2 && !strncmp(path, "..", 2)))
			return false;
		path += n;
	}
	return true;
}

static int read_directories(struct reading *r, const struct yaml_node *v)
{
	struct manifest *m = r->m;
	int failed = 0;
	if (value_need(r, "policies", v, YAML_LIST, "write policies: [/etc/rucy-devguard/policies]"))
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		struct policy_ref dir = {.at = v->items[i].at};
		if (value_word(r, "policies", &v->items[i], &dir.name)) {
			failed = -1;
			continue;
		}
		if (!plain_path(dir.name))
			failed = yaml_fail(&r->y, dir.at, "write the whole path: /etc/rucy-devguard/policies",
			                   "%s is no absolute path without . and ..",
			                   text_quoted(r->arena, v->items[i].text));
		*ARENA_PUSH(r->arena, m->directories, m->ndirectories, m->directories_cap) = dir;
	}
	return failed;
}

static bool names_policy(const struct manifest *m)
{
	bool any = m->otherwise.action.kind == RULING_POLICY;
	for (size_t i = 0; i < m->nentries; i++)
		any |= m->entries[i].action.kind == RULING_POLICY;
	return any;
}

static int read_top(struct reading *r, const struct yaml_node *top)
{
	static const char *const known[] = {"version", "policies", "default", "match"};
	const struct yaml_node *v;
	int failed = 0;
	if (value_is_null(top))
		return yaml_fail(&r->y, (struct span){r->y.file, 1, 1}, "start with: version: 1",
		                 "the file is empty");
	if (top->kind != YAML_MAP)
		return value_wrong(r, "a manifest", top, "a mapping", "start with: version: 1");
	failed = value_keys(r, "the manifest", top, WORDS(known));
	if (!(v = yaml_value(top, "version")))
		failed = yaml_fail(&r->y, top->at, "write: version: 1", "the version is missing");
	else if (v->kind != YAML_TEXT || !v->plain || !slice_is(v->text, "1"))
		return yaml_fail(&r->y, v->at, "write: version: 1", "version must be 1");
	if ((v = yaml_value(top, "policies")))
		failed |= read_directories(r, v);
	if ((v = yaml_value(top, "default")))
		failed |= read_default(r, v);
	if ((v = yaml_value(top, "match")))
		failed |= read_entries(r, v);
	if (!failed && !r->m->ndirectories && names_policy(r->m))
		failed = yaml_fail(&r->y, top->at, "write policies: [/etc/rucy-devguard/policies]",
		                   "no directories of policies are given");
	if (!failed && !yaml_value(top, "match") && !yaml_value(top, "default"))
		failed = yaml_fail(&r->y, top->at, "write match: and entries below it, or a default:",
		                   "the manifest says nothing");
	return failed;
}

int manifest_read(struct arena *a, struct diags *d, const char *file, const char *text, size_t len,
                  struct manifest **out)
{
	struct yaml_node top;
	struct manifest *m = arena_alloc(a, sizeof *m);
	*out = NULL;
	*m = (struct manifest){.file = arena_strdup(a, file), .otherwise.name = "default"};
	struct reading r = {.y = {a, d, m->file, text, len, "version: 1",
	                          "a glob can take the place of many entries"}, .arena = a, .m = m};
	if (yaml_read(&r.y, &top) || read_top(&r, &top))
		return -1;
	m->text = arena_strndup(a, r.y.text, r.y.len);
	m->len = r.y.len;
	m->otherwise.at.file = m->file;
	*out = m;
	return 0;
}
