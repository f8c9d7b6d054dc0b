/*
 * values.c - the kinds of values a manifest has, each read with a message
 * that says what is expected.
 */
#include "policy/manifest/internal.h"

#include <string.h>

enum { NAME_LIMIT = 63 };

/* Is it a null of YAML: `key:` with nothing, ~, null? */
bool value_is_null(const struct yaml_node *v)
{
	return v->kind == YAML_TEXT && v->plain &&
	       (!v->text.n || slice_is(v->text, "~") || slice_is(v->text, "null"));
}

int value_wrong(struct reading *r, const char *key, const struct yaml_node *v,
                      const char *wanted, const char *hint)
{
	return yaml_fail(&r->y, v->at, hint, "%s must be %s, not %s", key, wanted,
	                 value_is_null(v) ? "empty" : yaml_kind_name(v->kind));
}

int value_word(struct reading *r, const char *key, const struct yaml_node *v, const char **out)
{
	if (v->kind != YAML_TEXT || value_is_null(v))
		return value_wrong(r, key, v, "text", arena_printf(r->arena, "write %s: TEXT", key));
	*out = v->text.s;
	return 0;
}

int value_need(struct reading *r, const char *key, const struct yaml_node *v, enum yaml_kind kind,
                const char *hint)
{
	if (v->kind != kind)
		return value_wrong(r, key, v, yaml_kind_name(kind), hint);
	return v->n ? 0
	            : yaml_fail(&r->y, v->at, hint, "%s is an empty %s", key,
	                        kind == YAML_LIST ? "list" : "mapping");
}

int value_boolean(struct reading *r, const char *key, const struct yaml_node *v, bool *out)
{
	bool yes = v->kind == YAML_TEXT && v->plain && slice_is(v->text, "true");
	if (!yes && (v->kind != YAML_TEXT || !v->plain || !slice_is(v->text, "false")))
		return yaml_fail(&r->y, v->at, "write true or false, without quotes",
		                 "%s must be true or false", key);
	*out = yes;
	return 0;
}

/* Position of a word in a list. */
int value_choice(struct reading *r, const char *key, const struct yaml_node *v,
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
	const char *hint = near_hint(r->arena, near, arena_printf(r->arena, "one of: %s", all));
	return yaml_fail(&r->y, v->at, hint, "%s cannot be %s", key,
	                 v->kind == YAML_TEXT ? text_quoted(r->arena, v->text)
	                                      : yaml_kind_name(v->kind));
}

int value_policy(struct reading *r, const char *key, const struct yaml_node *v,
                            struct policy_ref *out)
{
	const char *name, *hint = "give the file's name without its directory and its .rb or .o";
	if (value_word(r, key, v, &name))
		return -1;
	const char *shown = text_quoted(r->arena, v->text);
	const char *dot = strrchr(name, '.');
	if (strspn(name, POLICY_NAME_BYTES) != v->text.n || *name == '.' || *name == '-')
		return yaml_fail(&r->y, v->at, hint, "%s is no name of a policy", shown);
	if (v->text.n > NAME_LIMIT)
		return yaml_fail(&r->y, v->at, hint, "%s is longer than %d characters", shown, NAME_LIMIT);
	if (dot && (!strcmp(dot, ".rb") || !strcmp(dot, ".o")))
		return yaml_fail(&r->y, v->at, hint, "%s ends with %s", shown, dot);
	*out = (struct policy_ref){name, v->at};
	return 0;
}

/* ---- keys ------------------------------------------------------------------------ */

int value_keys(struct reading *r, const char *where, const struct yaml_node *map,
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
		                   near_hint(r->arena, near, arena_printf(r->arena, "known are: %s", all)),
		                   "unknown key %s in %s", text_quoted(r->arena, key->text), where);
	}
	return failed;
}
