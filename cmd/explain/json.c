/* json.c - what something amounts to, for programs: all of it, nothing cut. */
#include "cmd/explain/explain.h"

#include <string.h>

static json_t *intervals_json(const struct interval *list, size_t n)
{
	json_t *out = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, json_pack("[I, I]", (json_int_t)list[i].lo, (json_int_t)list[i].hi));
	return out;
}

static json_t *letters_json(int access)
{
	char letters[4];
	return json_string(access_text(access, letters));
}

static json_t *device_json(const struct explain_row *row)
{
	const char *name = row->called.name, *what = row->called.what;
	return json_pack("{s:s, s:s, s:o, s:o, s:b}", "numbers", row->numbers, "kind", reach_words[row->reach], "name",
	                 *name ? text_json(name) : json_null(), "description", *what ? text_json(what) : json_null(), "here", row->here);
}

/* A rule, with its devices by name. */
static json_t *rule_json(const struct explained *r, const struct explain_rows *rows)
{
	static const char *const types[] = {"", "b", "c", "a"};
	const struct pattern *p = &r->pattern;
	json_t *devices = json_array();
	for (size_t i = 0; i < rows->n; i++)
		if (rows->list[i].rule == r)
			json_array_append_new(devices, device_json(&rows->list[i]));
	return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "verdict", explain_words[r->verdict], "access", letters_json(p->access),
	                 "type", types[p->types], "majors", intervals_json(p->majors, p->nmajors), "minors",
	                 intervals_json(p->minors, p->nminors), "asked", r->asked < 0 ? json_null() : letters_json(r->asked), "when",
	                 r->when ? text_json(r->when) : json_null(), "devices", devices);
}

static json_t *lines_json(const char *text)
{
	json_t *list = json_array();
	for (; *text; text += strcspn(text, "\n") + 1)
		json_array_append_new(list, json_stringn(text, strcspn(text, "\n")));
	return list;
}

void explain_json(json_t *o, struct cmd *c, const struct explanation *e, struct device_names *here, const struct unit *u,
                  const char *unknown)
{
	struct explain_rows rows;
	json_t *table = json_array();
	explain_rows(c, e, here, &rows);
	for (size_t i = 0; i < e->n; i++)
		json_array_append_new(table, rule_json(&e->list[i], &rows));
	json_object_set_new(o, "meaning", u->policy->meaning ? text_json(u->policy->meaning) : json_null());
	json_object_set_new(o, "table", table);
	json_object_set_new(o, "otherwise", json_string(!rows.nothing_else ? "deny" : rows.else_unknown ? "unknown" : "allow"));
	json_object_set_new(o, "unknown", lines_json(unknown));
}
