/*
 * match.c - which entry of a manifest is for a container, and what that
 * comes to with the container's annotations. Where an annotation asks for what is
 * not offered the answer is an error, never the next entry.
 */
#include "policy/manifest/internal.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 80 };

int manifest_fail(const struct manifest *m, struct diags *d, struct span at, const char *hint,
                  const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct diag *item =
		diag_add(d, DIAG_ERROR, at, hint, "%s", arena_vprintf(d->arena, fmt, ap));
	va_end(ap);
	item->source = yaml_line(d->arena, m->text, m->len, at.line);
	return -1;
}

static const char *shown(struct arena *a, const char *text)
{
	return arena_printf(a, "\"%s\"", text_safe(a, text, strlen(text), SHOWN));
}

/* ---- what is known of a container ------------------------------------------------ */

static const char *annotation_of(const struct container *who, const char *key)
{
	for (size_t i = 0; i < who->nannotations; i++)
		if (!strcmp(who->annotations[i].key, key))
			return who->annotations[i].value;
	return NULL;
}

/* The annotations that say it, each of one engine. Not org.opencontainers.image.*: those are the
 * image author's own words. */
enum { ENGINES_SAY = 2 };
static const char *const names[ENGINES_SAY] = {"io.kubernetes.cri.container-name", "io.kubernetes.container.name"};
static const char *const images[ENGINES_SAY] = {"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName"};

void container_describe(struct container *who)
{
	for (size_t i = 0; !who->name && i < ENGINES_SAY; i++)
		who->name = annotation_of(who, names[i]);
	for (size_t i = 0; !who->image && i < ENGINES_SAY; i++)
		who->image = annotation_of(who, images[i]);
}

static bool any_glob(const struct globs *g, const char *text, bool path)
{
	for (size_t i = 0; text && i < g->n; i++)
		if (glob_matches(g->items[i], text, path))
			return true;
	return !g->n;
}

static bool entry_matches(const struct entry *e, const struct container *who)
{
	if (e->rootless != ROOTLESS_ANY && who->rootless != (e->rootless == ROOTLESS_YES))
		return false;
	if (!any_glob(&e->id, who->id, false) || !any_glob(&e->container_name, who->name, false) ||
	    !any_glob(&e->image, who->image, false) || !any_glob(&e->cgroup, who->cgroup, true))
		return false;
	for (size_t i = 0; i < e->nannotations; i++)
		if (!any_glob(&e->annotations[i].value, annotation_of(who, e->annotations[i].key), false))
			return false;
	return true;
}

/* ---- from an entry to an answer ------------------------------------------------------ */

static const char *names_of(struct arena *a, const struct action *action)
{
	const char *all = "";
	for (size_t i = 0; i < action->namong; i++)
		all = arena_printf(a, "%s%s%s", all, i ? ", " : "", action->among[i].name);
	return all;
}

/* The part of an answer that no annotation has a say in. */
static void start_ruling(struct arena *a, const struct manifest *m, const struct entry *e,
                         struct ruling *out)
{
	const struct action *act = &e->action;
	*out = (struct ruling){
		.entry = e->name,
		.at = e->at,
		.kind = act->kind,
		.policy = act->policy.name,
		.policy_at = act->policy.at,
		.mode_given = act->mode_given,
		.audit_given = act->audit_given,
		.mode = act->mode,
		.audit = act->audit,
		.ring = act->ring,
		.limit = act->limit,
	};
	if (act->kind == RULING_REFUSE && e == &m->otherwise)
		out->why = arena_printf(a, "no entry of %s matches it, and the default is to refuse", m->file);
	else if (act->kind == RULING_REFUSE)
		out->why = arena_printf(a, "entry %s of %s refuses it", shown(a, e->name), m->file);
}

/* Room for those given and those from annotations; the given ones filled in. */
static struct ruling_param *start_params(struct arena *a, const struct action *act,
                                         struct ruling *out)
{
	struct ruling_param *params = NULL;
	if (act->nparams + act->nsources)
		params = arena_alloc(a, (act->nparams + act->nsources) * sizeof *params);
	for (size_t i = 0; i < act->nparams; i++)
		params[i] = act->params[i];
	out->params = params;
	out->nparams = act->nparams;
	return params;
}

static void set_param(struct ruling_param *params, struct ruling *out,
                      const struct param_source *s, int64_t value)
{
	size_t i = 0;
	while (i < out->nparams && strcmp(params[i].name, s->name) != 0)
		i++;
	params[i] = (struct ruling_param){s->name, value, s->at};
	if (i == out->nparams)
		out->nparams++;
}

static int pick_policy(struct arena *a, struct diags *d, const struct manifest *m,
                       const struct entry *e, const struct container *who, struct ruling *out)
{
	const struct action *act = &e->action;
	const char *wish = act->pick ? annotation_of(who, act->pick) : NULL;
	const char *hint = arena_printf(a, "it may be: %s", names_of(a, act));
	for (size_t i = 0; wish && i < act->namong; i++)
		if (!strcmp(act->among[i].name, wish)) {
			out->policy = act->among[i].name;
			out->policy_at = act->among[i].at;
			return 0;
		}
	if (wish)
		return manifest_fail(m, d, e->at, hint, "annotation %s: entry %s offers no policy %s",
		                     shown(a, act->pick), shown(a, e->name), shown(a, wish));
	if (!out->policy)
		return manifest_fail(m, d, e->at, hint,
		                     "entry %s takes its policy from annotation %s, which is not there",
		                     shown(a, e->name), shown(a, act->pick));
	return 0;
}

static int params_by_annotation(struct arena *a, struct diags *d, const struct manifest *m,
                                const struct entry *e, const struct container *who,
                                struct ruling *out)
{
	struct ruling_param *params = start_params(a, &e->action, out);
	for (size_t i = 0; i < e->action.nsources; i++) {
		const struct param_source *s = &e->action.sources[i];
		const char *wish = annotation_of(who, s->annotation);
		int64_t value;
		if (!wish)
			continue;
		if (!number_read(wish, strlen(wish), &value) || value < s->lo || value > s->hi)
			return manifest_fail(m, d, s->at,
			                     arena_printf(a, "entry %s lets it set parameter %s to %lld..%lld",
			                                  shown(a, e->name), shown(a, s->name),
			                                  (long long)s->lo, (long long)s->hi),
			                     "annotation %s cannot be %s", shown(a, s->annotation),
			                     shown(a, wish));
		set_param(params, out, s, value);
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* An engine sets its own annotation, whatever people give; the other engine's is then somebody's. */
static int check_sources(struct arena *a, struct diags *d, const struct container *who, const char *const keys[ENGINES_SAY],
                         const char *what)
{
	const char *one = annotation_of(who, keys[0]), *other = annotation_of(who, keys[1]);
	if (!one || !other || !strcmp(one, other))
		return 0;
	return diag_fail(d, "one of them is not the engine's own: start it without that one",
	                 "the container has two %s: %s by annotation %s, %s by %s", what, shown(a, one), keys[0], shown(a, other), keys[1]);
}

/* An annotation that is there twice could be read either way. */
static int check_annotations(struct arena *a, struct diags *d, const struct container *who)
{
	const char **keys = arena_alloc(a, who->nannotations * sizeof *keys);
	for (size_t i = 0; i < who->nannotations; i++)
		keys[i] = who->annotations[i].key;
	qsort(keys, who->nannotations, sizeof *keys, by_text);
	for (size_t i = 1; i < who->nannotations; i++)
		if (!strcmp(keys[i - 1], keys[i]))
			return diag_fail(d, "give it once", "the container has annotation %s twice",
			                 shown(a, keys[i]));
	return 0;
}

/* Where an entry asks for the name or the image. */
static int check_described(struct arena *a, struct diags *d, const struct manifest *m, const struct container *who)
{
	bool by_name = false, by_image = false;
	for (const struct entry *e = m->entries; e < m->entries + m->nentries; e++) {
		by_name |= e->container_name.n > 0;
		by_image |= e->image.n > 0;
	}
	return (by_name && check_sources(a, d, who, names, "names")) || (by_image && check_sources(a, d, who, images, "images")) ? -1 : 0;
}

int manifest_choose(struct arena *a, struct diags *d, const struct manifest *m,
                    const struct container *who, struct ruling *out)
{
	const struct entry *e = m->entries;
	*out = (struct ruling){.kind = RULING_REFUSE, .why = "the manifest could not decide"};
	if (check_annotations(a, d, who) || check_described(a, d, m, who))
		return -1;
	while (e < m->entries + m->nentries && !entry_matches(e, who))
		e++;
	if (e == m->entries + m->nentries)
		e = &m->otherwise;
	struct ruling ruling;
	start_ruling(a, m, e, &ruling);
	if (ruling.kind == RULING_POLICY && (pick_policy(a, d, m, e, who, &ruling) ||
	                                   params_by_annotation(a, d, m, e, who, &ruling)))
		return -1;
	*out = ruling;
	return 0;
}

/* ---- without a container ------------------------------------------------------------------ */

size_t manifest_entries(const struct manifest *m, const struct manifest_entry **list)
{
	*list = m->list;
	return m->nentries;
}

bool manifest_choose_cgroup(struct arena *a, const struct manifest *m, const char *cgroup,
                            struct ruling *out)
{
	const struct container who = {.cgroup = cgroup};
	for (size_t i = 0; i < m->nentries; i++) {
		const struct entry *e = &m->entries[i];
		if (!m->list[i].by_cgroup || !entry_matches(e, &who))
			continue;
		start_ruling(a, m, e, out);
		start_params(a, &e->action, out);
		return true;
	}
	return false;
}

/* What an entry rules with one of its policies, the parameters from annotations at
 * the low or high ends of their ranges. */
static void variant(struct arena *a, const struct manifest *m, const struct entry *e,
                    const struct policy_ref *policy, bool high, struct ruling *out)
{
	const struct action *act = &e->action;
	start_ruling(a, m, e, out);
	out->policy = policy->name;
	out->policy_at = policy->at;
	struct ruling_param *params = start_params(a, act, out);
	for (size_t i = 0; i < act->nsources; i++)
		set_param(params, out, &act->sources[i],
		          high ? act->sources[i].hi : act->sources[i].lo);
}

void manifest_variants(struct arena *a, const struct manifest *m, const struct ruling **list,
                       size_t *n)
{
	struct ruling *all = NULL;
	size_t cap = 0;
	*n = 0;
	for (size_t i = 0; i <= m->nentries; i++) {
		const struct entry *e = i < m->nentries ? &m->entries[i] : &m->otherwise;
		const struct action *act = &e->action;
		size_t own = act->policy.name ? 1 : 0;
		for (size_t p = 0; act->kind == RULING_POLICY && p < own + act->namong; p++) {
			const struct policy_ref *policy = p < own ? &act->policy : &act->among[p - own];
			variant(a, m, e, policy, false, ARENA_PUSH(a, all, *n, cap));
			if (act->nsources)
				variant(a, m, e, policy, true, ARENA_PUSH(a, all, *n, cap));
		}
	}
	*list = all;
}
