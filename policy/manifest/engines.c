/*
 * engines.c - entries of a manifest that can never match on an engine, because of what it tells a
 * hook of its containers (engines.def).
 *
 * All are warnings: a person can give a container any annotation on most engines, and another place
 * by its own options. What is said is what the engine does by itself.
 */
#include "policy/manifest/internal.h"

#include <string.h>

enum engine {
#define ENGINE(name, text, ids, describes) ENGINE_##name,
#include "policy/manifest/engines.def"
	ENGINES
};
#define OF(name) (1u << ENGINE_##name)

enum ids { IDS_ANY, IDS_HEX64 };
static const struct engine_facts {
	enum ids ids;
	bool describes;
} facts[] = {
#define ENGINE(name, text, ids, describes) {ids, describes},
#include "policy/manifest/engines.def"
};

static const char *const names[] = {
#define ENGINE(name, text, ids, describes) text,
#include "policy/manifest/engines.def"
};

/* What begins so is of these engines. */
struct own {
	const char *begin;
	unsigned engines;
};
static const struct own own_keys[] = {
#define ENGINE_KEYS(begin, engines) {begin, engines},
#include "policy/manifest/engines.def"
};
static const struct own own_places[] = {
#define ENGINE_PLACE(begin, engines) {begin, engines},
#include "policy/manifest/engines.def"
};

size_t manifest_engines(const char *const **list)
{
	*list = names;
	return ENGINES;
}

/* ---- what can match ------------------------------------------------------------------------ */

/* Can it match 64 hexadecimal digits? A set of characters is taken for one of them. */
static bool can_be_hex64(const char *glob)
{
	size_t n = 0;
	bool star = false;
	for (const char *p = glob; *p; p++) {
		if (*p == '*') {
			star = true;
			continue;
		}
		if (*p == '[')
			p = strchr(p + 2, ']'); /* glob_check() saw it */
		else if (*p != '?' && !strchr("0123456789abcdef", *p))
			return false;
		n++;
	}
	return n == 64 || (star && n < 64);
}

static const struct own *find_own(const struct own *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(text, list[i].begin, strlen(list[i].begin)))
			return &list[i];
	return NULL;
}

/* The part of the path that is of other engines, or NULL. */
static const struct own *foreign_place(const char *glob, unsigned engine)
{
	for (const char *part = glob; part; part = strchr(part, '/')) {
		part++;
		const struct own *o = find_own(own_places, sizeof own_places / sizeof *own_places, part);
		if (o && !(o->engines & 1u << engine))
			return o;
	}
	return NULL;
}

/* ---- what is said --------------------------------------------------------------------------- */

struct check {
	struct arena *arena;
	struct diags *d;
	const struct manifest *m;
	enum engine engine;
	const struct entry *entry;
};

static void __attribute__((format(printf, 3, 4))) warn(const struct check *c, const char *hint, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *why = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
	const char *name = arena_printf(c->arena, "entry \"%s\"", text_safe(c->arena, c->entry->name, strlen(c->entry->name), 80));
	struct diag *item = diag_add(c->d, DIAG_WARNING, c->entry->at, hint, "%s: %s", c->entry == &c->m->otherwise ? "default" : name, why);
	item->source = yaml_line(c->arena, c->m->text, c->m->len, c->entry->at.line);
}

static const char *engines_text(struct arena *a, unsigned engines)
{
	const char *all = "";
	for (unsigned i = 0; i < ENGINES; i++)
		if (engines & 1u << i)
			all = arena_printf(a, "%s%s%s", all, *all ? " and " : "", names[i]);
	return all;
}

static void check_key(const struct check *c, const char *key)
{
	const char *engine = names[c->engine], *shown = text_safe(c->arena, key, strlen(key), 80);
	const struct own *o = find_own(own_keys, sizeof own_keys / sizeof *own_keys, key);
	if (o && !(o->engines & 1u << c->engine))
		warn(c, "whoever starts a container may be able to write it by hand",
		     "annotation %s is never set by %s: it is one of %s", shown, engine, engines_text(c->arena, o->engines));
	else if (!o && c->engine == ENGINE_containerd)
		warn(c, arena_printf(c->arena, "pod_annotations = [\"%s\"] (of the pod), container_annotations (of the container's CRI request)", shown),
		     "annotation %s is there on containerd only when its configuration passes it on", shown);
}

static void check_described(const struct check *c, const struct globs *globs, const char *key, const char *what)
{
	if (globs->n && !facts[c->engine].describes)
		warn(c, "match by cgroup or id, or have whoever starts it give an annotation, and match that",
		     "%s never matches: %s tells a hook no %s of a container", key, names[c->engine], what);
}

static void check_ids(const struct check *c)
{
	const struct globs *ids = &c->entry->id;
	for (size_t i = 0; i < ids->n; i++)
		if (facts[c->engine].ids == IDS_HEX64 && !can_be_hex64(ids->items[i]))
			warn(c, "a container's name is no id: match by cgroup, or by an annotation",
			     "id %s never matches: an id of %s is 64 hexadecimal digits", text_safe(c->arena, ids->items[i], strlen(ids->items[i]), 80),
			     names[c->engine]);
}

static void check_places(const struct check *c)
{
	const struct globs *globs = &c->entry->cgroup;
	for (size_t i = 0; i < globs->n; i++) {
		const struct own *o = foreign_place(globs->items[i], c->engine);
		if (o)
			warn(c, arena_printf(c->arena, "see where they are: rucy-devguard status, or cat /proc/PID/cgroup of one on %s", names[c->engine]),
			     "cgroup %s: %.*s is a place of %s, not of %s", text_safe(c->arena, globs->items[i], strlen(globs->items[i]), 80),
			     (int)strcspn(o->begin, "/"), o->begin, engines_text(c->arena, o->engines), names[c->engine]);
	}
}

static void check_entry(const struct check *c)
{
	const struct entry *e = c->entry;
	for (size_t i = 0; i < e->nannotations; i++)
		check_key(c, e->annotations[i].key);
	if (e->action.pick)
		check_key(c, e->action.pick);
	for (size_t i = 0; i < e->action.nsources; i++)
		check_key(c, e->action.sources[i].annotation);
	check_described(c, &e->container_name, "container_name", "name");
	check_described(c, &e->image, "image", "image");
	check_ids(c);
	check_places(c);
	if (e->rootless == ROOTLESS_YES)
		warn(c, "install-hook --rootless refuse keeps them from starting",
		     "rootless: true never matches: such a container is skipped or refused before the manifest is asked");
}

void manifest_check_engine(struct arena *a, struct diags *d, const struct manifest *m, size_t engine)
{
	struct check c = {.arena = a, .d = d, .m = m, .engine = (enum engine)engine};
	for (size_t i = 0; i <= m->nentries; i++) {
		c.entry = i < m->nentries ? &m->entries[i] : &m->otherwise;
		check_entry(&c);
	}
}
