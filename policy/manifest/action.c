/*
 * action.c - what an entry of a manifest does with a container: none,
 * refuse, or a policy with its parameters, mode and audit.
 */
#include "policy/manifest/internal.h"
#include "policy/limits.h"

#include <string.h>

enum { PARAMS_LIMIT = 64 };

/* ---- parameters ------------------------------------------------------------------------- */

static int read_params(struct reading *r, const struct yaml_node *v, struct action *a)
{
	int failed = 0;
	if (value_need(r, "params", v, YAML_MAP, "write params: {gpu: 3}"))
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		const struct yaml_node *key = &v->keys[i], *value = &v->items[i];
		struct ruling_param p = {.name = key->text.s, .at = key->at};
		if (value->kind != YAML_TEXT || !value->plain ||
		    !number_read(value->text.s, value->text.n, &p.value))
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
	if (!dots || !number_read(text, (size_t)(dots - text), &s->lo) ||
	    !number_read(dots + 2, strlen(dots + 2), &s->hi))
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
	if (value_need(r, "a parameter of params_from", v, YAML_MAP, hint))
		return -1;
	int failed = value_keys(r, "params_from", v, WORDS(known));
	const struct yaml_node *annotation = yaml_value(v, "annotation"), *range = yaml_value(v, "range");
	if (!annotation || !range)
		failed = yaml_fail(&r->y, v->at, hint, "%s is missing",
		                   annotation ? "the range" : "the annotation");
	if (annotation)
		failed |= value_word(r, "annotation", annotation, &s->annotation);
	if (range)
		failed |= read_range(r, range, s);
	return failed;
}

static int read_sources(struct reading *r, const struct yaml_node *v, struct action *a)
{
	int failed = 0;
	if (value_need(r, "params_from", v, YAML_MAP,
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
	if (value_need(r, "policy_from", v, YAML_MAP, hint))
		return -1;
	int failed = value_keys(r, "policy_from", v, WORDS(known));
	const struct yaml_node *annotation = yaml_value(v, "annotation"), *among = yaml_value(v, "among");
	if (!annotation || !among)
		return yaml_fail(&r->y, v->at, hint, "%s is missing", annotation ? "among" : "the annotation");
	failed |= value_word(r, "annotation", annotation, &a->pick);
	if (value_need(r, "among", among, YAML_LIST, hint))
		return -1;
	for (size_t i = 0; i < among->n; i++) {
		struct policy_ref ref;
		if (value_policy(r, "among", &among->items[i], &ref)) {
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
	                                     "audit", "ring", "limit"};
	a->kind = RULING_POLICY;
	for (size_t k = 0; k < 2; k++) {
		const struct yaml_node *v = yaml_value(map, kinds[k].key), *other;
		bool yes = false;
		if (!v)
			continue;
		if (value_boolean(r, kinds[k].key, v, &yes))
			return -1;
		if (!yes)
			return yaml_fail(&r->y, v->at, "leave it out", "%s: false says nothing", kinds[k].key);
		if (a->kind != RULING_POLICY)
			return yaml_fail(&r->y, v->at, "keep one of them", "none and refuse together");
		a->kind = kinds[k].kind;
		for (size_t i = 0; i < sizeof others / sizeof *others; i++)
			if ((other = yaml_value(map, others[i])))
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

static int read_ring(struct reading *r, const struct yaml_node *v, struct action *a)
{
	const char *text, *why;
	if (value_word(r, "ring", v, &text))
		return -1;
	if (!(why = ring_size_parse(text, &a->ring)))
		return 0;
	return yaml_fail(&r->y, v->at, "for example ring: 64K", "ring: %s is %s", text_quoted(r->arena, v->text), why);
}

static int read_limit(struct reading *r, const struct yaml_node *v, struct action *a)
{
	struct limits ignored = {LIMIT_SECONDS, LIMIT_CPU, LIMIT_MEMORY};
	const char *why;
	if (value_word(r, "limit", v, &a->limit))
		return -1;
	if (!(why = limits_parse(a->limit, &ignored)))
		return 0;
	return yaml_fail(&r->y, v->at, "for example limit: time=30s,memory=1g", "limit: %s is %s",
	                 text_quoted(r->arena, v->text), why);
}

int read_action(struct reading *r, const struct yaml_node *map, struct action *a)
{
	const struct yaml_node *v;
	int word = 0, failed = read_kind(r, map, a);
	if (failed || a->kind != RULING_POLICY)
		return failed;
	if ((v = yaml_value(map, "policy")))
		failed |= value_policy(r, "policy", v, &a->policy);
	if ((v = yaml_value(map, "policy_from")))
		failed |= read_pick(r, v, a);
	if ((v = yaml_value(map, "params")))
		failed |= read_params(r, v, a);
	if ((v = yaml_value(map, "params_from")))
		failed |= read_sources(r, v, a);
	if ((v = yaml_value(map, "mode")) && !(failed |= value_choice(r, "mode", v, mode_words, POLICY_MODES, &word))) {
		a->mode_given = true;
		a->mode = (enum policy_mode)word;
	}
	if ((v = yaml_value(map, "audit")) &&
	    !(failed |= value_choice(r, "audit", v, audit_words, AUDIT_LEVELS, &word))) {
		a->audit_given = true;
		a->audit = (enum audit_level)word;
	}
	if ((v = yaml_value(map, "ring")))
		failed |= read_ring(r, v, a);
	if ((v = yaml_value(map, "limit")))
		failed |= read_limit(r, v, a);
	return failed ? failed : check_both(r, map, a);
}

