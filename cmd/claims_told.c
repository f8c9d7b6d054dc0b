/* claims_told.c - what a judge found out about claims: printed, and as JSON. */
#include "cmd/cmd.h"
#include "cmd/unit.h"
#include "policy/claims.h"

static size_t held(const struct claims_told *told)
{
	size_t n = 0;
	for (size_t i = 0; i < told->n; i++)
		n += told->list[i].state == CLAIM_HOLDS;
	return n;
}

void claims_print(const struct claims_told *told, const char *file, bool each)
{
	static const char *const words[CLAIM_STATES] = {"proven", "false", "cannot be told", "cannot be proven"};
	size_t hold = held(told);
	if (!told->n)
		return;
	printf("  claims: %zu", hold);
	if (hold < told->n)
		printf(" of %zu", told->n);
	if (file) {
		fputs(" of ", stdout);
		put_text(stdout, file);
	}
	puts(" proven");
	for (size_t i = 0; i < told->n && each; i++) {
		const struct claim_told *t = &told->list[i];
		printf("    line %d: %s, %s%s", t->line, t->always ? "always" : "never", words[t->state], *t->label ? ": " : "");
		put_text(stdout, t->label);
		putchar('\n');
	}
}

static json_t *text_or_null(const char *text)
{
	return *text ? text_json(text) : json_null();
}

static json_t *counterexample(const struct claim_told *t)
{
	json_t *by = json_pack("{s:b}", "default", t->by_default);
	if (t->by_line) {
		json_object_set_new(by, "file", text_json(t->by_file));
		json_object_set_new(by, "line", json_integer(t->by_line));
	}
	if (*t->by_label)
		json_object_set_new(by, "label", text_json(t->by_label));
	return json_pack("{s:o, s:o, s:o, s:o}", "request", text_json(t->request), "device", text_or_null(t->device), "parameters",
	                 text_or_null(t->params), "by", by);
}

void claims_json(const struct claims_told *told, json_t *list)
{
	for (size_t i = 0; i < told->n; i++) {
		const struct claim_told *t = &told->list[i];
		bool known = t->state == CLAIM_HOLDS || t->state == CLAIM_FALSE;
		json_t *o = json_pack("{s:o, s:i, s:s, s:o, s:o}", "file", text_or_null(t->file), "line", t->line, "claim",
		                      t->always ? "always" : "never", "label", text_or_null(t->label), "hangs_on", text_or_null(t->on));
		json_object_set_new(o, "holds", known ? json_boolean(t->state == CLAIM_HOLDS) : json_null());
		json_object_set_new(o, "counterexample", t->state == CLAIM_FALSE ? counterexample(t) : json_null());
		json_array_append_new(list, o);
	}
}
