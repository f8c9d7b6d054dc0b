/* tell.c - what one unit amounts to: as text, as JSON, as a listing. */
#include "cmd/audit/audit.h"
#include "cmd/explain/explain.h"

#include <string.h>

/* The lines of the policy. */
static json_t *rules_json(const char *text)
{
	json_t *list = json_array();
	while (*text) {
		size_t n = strcspn(text, "\n");
		json_array_append_new(list, json_stringn(text, n));
		text += n + (text[n] == '\n');
	}
	return list;
}

static void print_lines(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		put_bytes(stdout, line, strcspn(line, "\n"));
		putchar('\n');
	}
}

static void print_head(const char *source)
{
	fputs("# What ", stdout);
	put_text(stdout, source);
	puts(" amounts to.");
}

int explain_unit(struct cmd *c, const struct unit *u, const char *unknown, struct device_names *here, json_t *o)
{
	struct explanation e;
	const char *lines;
	int status = unit_explain(c, u, &e);
	if (!status && c->json.on)
		status = unit_listing(c, u, DUMP_RULES, &lines);
	if (status)
		return status;
	if (c->json.on) {
		json_object_set_new(o, "rules", rules_json(lines));
		explain_json(o, c, &e, here, u, unknown);
		return STATUS_OK;
	}
	struct explain_rows rows;
	explain_rows(c, &e, here, &rows);
	explain_rows_join(c, &rows);
	diags_flush(c);
	explain_print(&rows, u, unknown);
	return STATUS_OK;
}

void explain_put_title(const char *title)
{
	put_text(stdout, title);
	putchar('\n');
}

int explain_kept(struct cmd *c, const char *source, const struct unit *u, enum explain_as as)
{
	const char *text;
	int status = STATUS_OK;
	if (as != EXPLAIN_ROWS) {
		status = unit_listing(c, u, as == EXPLAIN_DOT ? DUMP_DOT : DUMP_RUBY, &text);
		if (!status) {
			diags_flush(c);
			if (as == EXPLAIN_RUBY)
				print_head(source);
			print_lines(text);
		}
		return status;
	}
	diags_flush(c);
	if (c->json.on)
		json_object_set_new(c->json.out, "programs", json_array());
	else
		explain_put_title(arena_printf(c->arena, "%s: policy %s", u->policy->file, u->policy->name));
	return explain_unit(c, u, "", NULL, c->json.out);
}
