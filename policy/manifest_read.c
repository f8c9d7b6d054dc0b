/*
 * manifest_read.c - ruling.yaml to a struct manifest: which keys there are, and
 * what their values may be. Everything that is wrong is reported, key by key.
 */
#include "policy/manifest.h"

#include <string.h>

enum { NAME_LIMIT = 63, PARAMS_LIMIT = 64 };

struct reading {
	struct yaml y;
	struct arena *arena;
	struct manifest *m;
};

#define WORDS(array) (array), sizeof(array) / sizeof *(array)

/* ---- values -------------------------------------------------------------------- */

/* Is it a null of YAML: `key:` with nothing, ~, null? */
static bool is_null(const struct yaml_node *v)
{
	return v->kind == YAML_TEXT && v->plain &&
	       (!v->text.n || slice_is(v->text, "~") || slice_is(v->text, "null"));
}

static int wrong_kind(struct reading *r, const char *key, const struct yaml_node *v,
                      const char *wanted, const char *hint)
{
	return yaml_fail(&r->y, v->at, hint, "%s must be %s, not %s", key, wanted,
	                 is_null(v) ? "empty" : yaml_kind_name(v->kind));
}

static int read_word(struct reading *r, const char *key, const struct yaml_node *v, const char **out)
{
	if (v->kind != YAML_TEXT || is_null(v))
		return wrong_kind(r, key, v, "text", arena_printf(r->arena, "write %s: TEXT", key));
	*out = v->text.s;
	return 0;
}

static int need(struct reading *r, const char *key, const struct yaml_node *v, enum yaml_kind kind,
                const char *hint)
{
	if (v->kind != kind)
		return wrong_kind(r, key, v, yaml_kind_name(kind), hint);
	return v->n ? 0
	            : yaml_fail(&r->y, v->at, hint, "%s is an empty %s", key,
	                        kind == YAML_LIST ? "list" : "mapping");
}

static int read_boolean(struct reading *r, const char *key, const struct yaml_node *v, bool *out)
{
	bool yes = v->kind == YAML_TEXT && v->plain && slice_is(v->text, "true");
	if (!yes && (v->kind != YAML_TEXT || !v->plain || !slice_is(v->text, "false")))
		return yaml_fail(&r->y, v->at, "write true or false, without quotes",
		                 "%s must be true or false", key);
	*out = yes;
	return 0;
}

/* Position of a word in a list. */
static int read_choice(struct reading *r, const char *key, const struct yaml_node *v,
                       const char *const *words, size_t n, int *out)
{
	char *all = "";
	for (size_t i = 0; i < n; i++) {
		if (v->kind == YAML_TEXT && slice_is(v->text, words[i])) {
			*out = (int)i;
			return 0;
		}
		all = arena_printf(r->arena, "%s%s%s", all, i ? ", " : "", words[i]);
	}
	const char *near = v->kind == YAML_TEXT ? did_you_mean(v->text.s, words, n) : NULL;
	const char *hint = near ? arena_printf(r->arena, "did you mean %s?", near)
	                        : arena_printf(r->arena, "one of: %s", all);
	return yaml_fail(&r->y, v->at, hint, "%s cannot be %s", key,
	                 v->kind == YAML_TEXT ? text_quoted(r->arena, v->text)
	                                      : yaml_kind_name(v->kind));
}

static int read_policy_name(struct reading *r, const char *key, const struct yaml_node *v,
                            struct policy_ref *out)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	const char *name, *hint = "give the file's name without its directory and its .rb or .o";
	if (read_word(r, key, v, &name))
		return -1;
	const char *shown = text_quoted(r->arena, v->text);
	const char *dot = strrchr(name, '.');
	if (strspn(name, allowed) != v->text.n || *name == '.' || *name == '-')
		return yaml_fail(&r->y, v->at, hint, "%s is no name of a policy", shown);
	if (v->text.n > NAME_LIMIT)
		return yaml_fail(&r->y, v->at, hint, "%s is longer than %d characters", shown, NAME_LIMIT);
	if (dot && (!strcmp(dot, ".rb") || !strcmp(dot, ".o")))
		return yaml_fail(&r->y, v->at, hint, "%s ends with %s", shown, dot);
	*out = (struct policy_ref){name, v->at};
	return 0;
}

/* ---- keys ------------------------------------------------------------------------ */

/* The value of a key of a mapping, or NULL. */
static const struct yaml_node *value_of(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (slice_is(map->keys[i].text, key))
			return &map->items[i];
	return NULL;
}

static int check_keys(struct reading *r, const char *where, const struct yaml_node *map,
                      const char *const *known, size_t n)
{
	int failed = 0;
	char *all = "";
	for (size_t i = 0; i < n; i++)
		all = arena_printf(r->arena, "%s%s%s", all, i ? ", " : "", known[i]);
	for (size_t i = 0; i < map->n; i++) {
		const struct yaml_node *key = &map->keys[i];
		size_t at = 0;
		while (at < n && !slice_is(key->text, known[at]))
			at++;
		if (at < n)
			continue;
		const char *near = did_you_mean(key->text.s, known, n);
		failed = yaml_fail(&r->y, key->at,
		                   near ? arena_printf(r->arena, "did you mean %s?", near)
		                        : arena_printf(r->arena, "known are: %s", all),
		                   "unknown key %s in %s", text_quoted(r->arena, key->text), where);
	}
	return failed;
}

/* ---- conditions ---------------------------------------------------------------------- */

static int read_glob(struct reading *r, const char *key, const struct yaml_node *v,
                     struct globs *out)
{
	const char *text, *wrong;
	bool path = !strcmp(key, "cgroup");
	if (read_word(r, key, v, &text))
		return -1;
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
	if (need(r, key, v, YAML_LIST, "write a glob, or a list of globs: [\"a*\", \"b*\"]"))
		return -1;
	for (size_t i = 0; i < v->n; i++)
		failed |= read_glob(r, key, &v->items[i], out);
	return failed;
}

static int read_annotations(struct reading *r, const struct yaml_node *v, struct entry *e)
{
	int failed = 0;
	if (need(r, "annotations", v, YAML_MAP, "write annotations: {KEY: GLOB}"))
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		const struct yaml_node *key = &v->keys[i];
		struct annotation_globs *g =
			ARENA_PUSH(r->arena, e->annotations, e->nannotations, e->annotations_cap);
		*g = (struct annotation_globs){.key = key->text.s};
		if (!key->text.n || is_null(key))
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
		if (!(v = value_of(map, texts[i].key)))
			continue;
		conditions++;
		failed |= read_globs(r, texts[i].key, v, texts[i].globs);
	}
	if ((v = value_of(map, "annotations")) && ++conditions)
		failed |= read_annotations(r, v, e);
	if ((v = value_of(map, "rootless")) && ++conditions) {
		failed |= read_boolean(r, "rootless", v, &yes);
		e->rootless = yes ? ROOTLESS_YES : ROOTLESS_NO;
	}
	if (!conditions)
		return yaml_fail(&r->y, map->at,
		                 "give annotations, id, container_name, image, cgroup or rootless; what "
		                 "nothing matches is for default:",
		                 "the entry has no condition");
	return failed;
}

/* ---- parameters ------------------------------------------------------------------------- */

static int read_params(struct reading *r, const struct yaml_node *v, struct action *a)
{
	int failed = 0;
	if (need(r, "params", v, YAML_MAP, "write params: {gpu: 3}"))
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		const struct yaml_node *key = &v->keys[i], *value = &v->items[i];
		struct ruling_param p = {.name = key->text.s, .at = key->at};
		if (value->kind != YAML_TEXT || !value->plain ||
		    !read_integer(value->text.s, value->text.n, &p.value))
			failed = yaml_fail(&r->y, value->at,
			                   "write a decimal or 0x number, without quotes: gpu: 3",
			                   "parameter %s must be an integer",
			                   text_quoted(r->arena, key->text));
		*ARENA_PUSH(r->arena, a->params, a->nparams, a->params_cap) = p;
	}
	if (a->nparams > PARAMS_LIMIT)
		failed = yaml_fail(&r->y, v->at, "a policy has a few", "more than %d parameters",
		                   PARAMS_LIMIT);
	return failed;
}

/* "0..15" */
static int read_range(struct reading *r, const struct yaml_node *v, struct param_source *s)
{
	static const char hint[] = "write both ends: range: 0..15";
	const char *text = v->kind == YAML_TEXT ? v->text.s : "", *dots = strstr(text, "..");
	if (!dots || !read_integer(text, (size_t)(dots - text), &s->lo) ||
	    !read_integer(dots + 2, strlen(dots + 2), &s->hi))
		return yaml_fail(&r->y, v->at, hint, "range must be two integers");
	if (s->lo > s->hi)
		return yaml_fail(&r->y, v->at, "the smaller one comes first", "the range is empty");
	return 0;
}

static int read_source(struct reading *r, const struct yaml_node *key, const struct yaml_node *v,
                       struct param_source *s)
{
	static const char *const known[] = {"annotation", "range"};
	const char *hint = arena_printf(r->arena, "write %s: {annotation: KEY, range: 0..15}",
	                                text_safe(r->arena, key->text.s, key->text.n, 32));
	*s = (struct param_source){.name = key->text.s, .at = key->at};
	if (need(r, "a parameter of params_from", v, YAML_MAP, hint))
		return -1;
	int failed = check_keys(r, "params_from", v, WORDS(known));
	const struct yaml_node *annotation = value_of(v, "annotation"), *range = value_of(v, "range");
	if (!annotation || !range)
		failed = yaml_fail(&r->y, v->at, hint, "%s is missing",
		                   annotation ? "the range" : "the annotation");
	if (annotation)
		failed |= read_word(r, "annotation", annotation, &s->annotation);
	if (range)
		failed |= read_range(r, range, s);
	return failed;
}

static int read_sources(struct reading *r, const struct yaml_node *v, struct action *a)
{
	int failed = 0;
	if (need(r, "params_from", v, YAML_MAP,
	         "write params_from: {gpu: {annotation: KEY, range: 0..15}}"))
		return -1;
	for (size_t i = 0; i < v->n; i++)
		failed |= read_source(r, &v->keys[i], &v->items[i],
		                      ARENA_PUSH(r->arena, a->sources, a->nsources, a->sources_cap));
	if (a->nsources > PARAMS_LIMIT)
		failed = yaml_fail(&r->y, v->at, "a policy has a few", "more than %d parameters",
		                   PARAMS_LIMIT);
	return failed;
}

/* ---- actions ------------------------------------------------------------------------------- */

static int read_pick(struct reading *r, const struct yaml_node *v, struct action *a)
{
	static const char *const known[] = {"annotation", "among"};
	static const char hint[] = "write policy_from: {annotation: KEY, among: [NAME, NAME]}";
	if (need(r, "policy_from", v, YAML_MAP, hint))
		return -1;
	int failed = check_keys(r, "policy_from", v, WORDS(known));
	const struct yaml_node *annotation = value_of(v, "annotation"), *among = value_of(v, "among");
	if (!annotation || !among)
		return yaml_fail(&r->y, v->at, hint, "%s is missing", annotation ? "among" : "the annotation");
	failed |= read_word(r, "annotation", annotation, &a->pick);
	if (need(r, "among", among, YAML_LIST, hint))
		return -1;
	for (size_t i = 0; i < among->n; i++) {
		struct policy_ref ref;
		if (read_policy_name(r, "among", &among->items[i], &ref)) {
			failed = -1;
			continue;
		}
		for (size_t j = 0; j < a->namong; j++)
			if (!strcmp(a->among[j].name, ref.name))
				failed = yaml_fail(&r->y, ref.at, "keep one of them", "%s is named twice",
				                   ref.name);
		*ARENA_PUSH(r->arena, a->among, a->namong, a->among_cap) = ref;
	}
	return failed;
}

/* `none: true` and `refuse: true`. */
static int read_kind(struct reading *r, const struct yaml_node *map, struct action *a)
{
	static const struct {
		const char *key;
		enum ruling_kind kind;
	} kinds[] = {{"none", RULING_NONE}, {"refuse", RULING_REFUSE}};
	static const char *const others[] = {"policy", "policy_from", "params", "params_from", "mode",
	                                     "audit"};
	a->kind = RULING_POLICY;
	for (size_t k = 0; k < 2; k++) {
		const struct yaml_node *v = value_of(map, kinds[k].key), *other;
		bool yes = false;
		if (!v)
			continue;
		if (read_boolean(r, kinds[k].key, v, &yes))
			return -1;
		if (!yes)
			return yaml_fail(&r->y, v->at, "leave it out", "%s: false says nothing", kinds[k].key);
		if (a->kind != RULING_POLICY)
			return yaml_fail(&r->y, v->at, "keep one of them", "none and refuse together");
		a->kind = kinds[k].kind;
		for (size_t i = 0; i < sizeof others / sizeof *others; i++)
			if ((other = value_of(map, others[i])))
				return yaml_fail(&r->y, other->at, "keep one of them", "%s beside %s: true",
				                 others[i], kinds[k].key);
	}
	return 0;
}

static int check_both(struct reading *r, const struct yaml_node *at, struct action *a)
{
	for (size_t i = 0; i < a->nsources; i++)
		for (size_t j = 0; j < a->nparams; j++)
			if (a->params[j].name && !strcmp(a->sources[i].name, a->params[j].name) &&
			    (a->params[j].value < a->sources[i].lo || a->params[j].value > a->sources[i].hi))
				return yaml_fail(&r->y, a->params[j].at, "choose a value of the range",
				                 "parameter %s is out of the range of params_from",
				                 text_quoted(r->arena, (struct slice){a->params[j].name,
				                                                      strlen(a->params[j].name)}));
	if (a->policy.name || a->pick)
		return 0;
	return yaml_fail(&r->y, at->at, "give policy: NAME, none: true or refuse: true",
	                 "nothing says what is to be done");
}

static int read_action(struct reading *r, const struct yaml_node *map, struct action *a)
{
	static const char *const modes[] = {"enforce", "permissive"};
	static const char *const audits[] = {"none", "denied", "all"};
	const struct yaml_node *v;
	int word = 0, failed = read_kind(r, map, a);
	if (failed || a->kind != RULING_POLICY)
		return failed;
	if ((v = value_of(map, "policy")))
		failed |= read_policy_name(r, "policy", v, &a->policy);
	if ((v = value_of(map, "policy_from")))
		failed |= read_pick(r, v, a);
	if ((v = value_of(map, "params")))
		failed |= read_params(r, v, a);
	if ((v = value_of(map, "params_from")))
		failed |= read_sources(r, v, a);
	if ((v = value_of(map, "mode")) && !(failed |= read_choice(r, "mode", v, WORDS(modes), &word))) {
		a->mode_given = true;
		a->mode = (enum policy_mode)word;
	}
	if ((v = value_of(map, "audit")) &&
	    !(failed |= read_choice(r, "audit", v, WORDS(audits), &word))) {
		a->audit_given = true;
		a->audit = (enum audit_level)word;
	}
	return failed ? failed : check_both(r, map, a);
}

/* ---- the whole --------------------------------------------------------------------------------- */

static int read_entry(struct reading *r, const struct yaml_node *map, struct entry *e)
{
	static const char *const known[] = {
		"name",   "annotations", "id",     "container_name", "image", "cgroup", "rootless", "policy",
		"policy_from", "params", "params_from", "mode",      "audit", "none",   "refuse"};
	const struct yaml_node *name;
	if (need(r, "an entry of match", map, YAML_MAP, "write - name: NAME and its conditions below"))
		return -1;
	e->at = map->at;
	int failed = check_keys(r, "an entry of match", map, WORDS(known));
	name = value_of(map, "name");
	if (!name)
		failed = yaml_fail(&r->y, map->at, "messages call it by its name: name: gpu workers",
		                   "the entry has no name");
	else
		failed |= read_word(r, "name", name, &e->name);
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
	if (need(r, "match", v, YAML_LIST, "write match: and entries below it, each after a -"))
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
	static const char *const known[] = {"policy", "policy_from", "params", "params_from", "mode",
	                                    "audit"};
	static const char *const words[] = {"refuse", "none"};
	struct entry *e = &r->m->otherwise;
	int word = 0;
	e->at = v->at;
	if (v->kind != YAML_MAP) {
		if (read_choice(r, "default", v, WORDS(words), &word))
			return -1;
		e->action.kind = word ? RULING_NONE : RULING_REFUSE;
		return 0;
	}
	int failed = check_keys(r, "default", v, WORDS(known));
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
	if (need(r, "policies", v, YAML_LIST, "write policies: [/etc/rucy-devguard/policies]"))
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		struct policy_ref dir = {.at = v->items[i].at};
		if (read_word(r, "policies", &v->items[i], &dir.name)) {
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
	if (is_null(top))
		return yaml_fail(&r->y, (struct span){r->y.file, 1, 1}, "start with: version: 1",
		                 "the file is empty");
	if (top->kind != YAML_MAP)
		return wrong_kind(r, "a manifest", top, "a mapping", "start with: version: 1");
	failed = check_keys(r, "the manifest", top, WORDS(known));
	if (!(v = value_of(top, "version")))
		failed = yaml_fail(&r->y, top->at, "write: version: 1", "the version is missing");
	else if (v->kind != YAML_TEXT || !v->plain || !slice_is(v->text, "1"))
		return yaml_fail(&r->y, v->at, "write: version: 1", "version must be 1");
	if ((v = value_of(top, "policies")))
		failed |= read_directories(r, v);
	if ((v = value_of(top, "default")))
		failed |= read_default(r, v);
	if ((v = value_of(top, "match")))
		failed |= read_entries(r, v);
	if (!failed && !r->m->ndirectories && names_policy(r->m))
		failed = yaml_fail(&r->y, top->at, "write policies: [/etc/rucy-devguard/policies]",
		                   "no directories of policies are given");
	if (!failed && !value_of(top, "match") && !value_of(top, "default"))
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
	struct reading r = {.y = {a, d, m->file, text, len}, .arena = a, .m = m};
	if (yaml_read(&r.y, &top) || read_top(&r, &top))
		return -1;
	m->text = arena_strndup(a, r.y.text, r.y.len);
	m->len = r.y.len;
	m->otherwise.at.file = m->file;
	*out = m;
	return 0;
}
