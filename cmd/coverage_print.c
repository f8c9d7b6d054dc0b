/*
 * coverage_print.c - what cases cover, for people, as JSON, and as the cases that are missing.
 */
#include "cmd/coverage.h"
#include "cmd/cmd.h"

#include <string.h>

enum { SHOWN_MAX = 200, REASONS_MAX = 3, WIDE_MAX = 48 };

/* ---- what is missing -------------------------------------------------------------------------- */

static bool is_missing(const struct mutant_record *m)
{
	return m->fate == FATE_LIVES || m->fate == FATE_UNDECIDED;
}

/* Is the other side of the boundary covered? */
static bool other_side(const struct covered *v, const struct mutant_record *m)
{
	for (size_t i = 0; i < v->n && m->kind == MUTANT_VALUE && m->other != m->value; i++) {
		const struct mutant_record *o = &v->list[i];
		if (o->kind == MUTANT_VALUE && o->rule == m->rule && o->input == m->input && o->value == m->other &&
		    o->fate == FATE_KILLED && !strcmp(o->text, m->text))
			return true;
	}
	return false;
}

/* "no case at minor 15, only at 16" */
static const char *missing_text(struct arena *a, const struct covered *v, const struct mutant_record *m)
{
	const char *what = decision_text(a, m), *colon = *m->text ? strstr(what, ": ") : NULL;
	const char *begin = colon && m->kind != MUTANT_CONDITION ? colon + 2 : what;
	const char *of = begin > what ? arena_strndup(a, what, (size_t)(begin - what)) : "";
	const char *stop = strstr(begin, ", not ");
	switch ((enum mutant_kind)m->kind) {
	case MUTANT_DEFAULT: return "no case is decided by the default alone";
	case MUTANT_RULE: return "no case would notice that this rule is gone";
	case MUTANT_VERDICT: return "no case is decided by this rule";
	case MUTANT_VALUE:
		stop = stop ? stop : begin + strlen(begin);
		return arena_printf(a, "%sno case at %.*s%s%s", of, (int)(stop - begin), begin, other_side(v, m) ? ", only at " : "",
		                    other_side(v, m) ? stop + strlen(", not ") : "");
	case MUTANT_LETTER:
		return arena_printf(a, "%sno case for %s%s", of, begin + (*m->text && !m->inside ? strlen("not ") : 0),
		                    *m->text && !m->inside ? ", which is not in it" : "");
	case MUTANT_CONDITION: return arena_printf(a, "no case in which %s", what);
	default: break;
	}
	return what;
}

static const char *example(struct arena *a, const struct covered *v, const struct mutant_record *m)
{
	return m->fate == FATE_LIVES ? case_text(a, &v->cases[m->by - 1]) : NULL;
}

/* ---- text ----------------------------------------------------------------------------------------- */

static void print_place(const struct covered *v, uint32_t rule)
{
	const struct policy *p = v->policy;
	struct span at = rule ? p->rules[rule - 1].at : p->default_at;
	const char *source = rule ? p->rules[rule - 1].source : NULL;
	put_text(stdout, at.file ? at.file : p->file);
	if (at.line > 0)
		printf(":%d", at.line);
	fputs(": ", stdout);
	put_text(stdout, source ? source + strspn(source, " \t") : rule ? "the rule" : "default");
	putchar('\n');
}

void coverage_print(struct arena *a, const struct covered *v)
{
	size_t shown = 0, missing = v->n - v->killed;
	uint32_t rule = UINT32_MAX;
	printf("covered: %zu of %zu decision%s (%zu %%)", v->killed, v->n, PLURAL(v->n), v->n ? 100 * v->killed / v->n : 100);
	if (v->undecided)
		printf(", %zu not decided", v->undecided);
	if (v->undecidable)
		printf(" (%zu case%s not counted: a fact is missing)", v->undecidable, PLURAL(v->undecidable));
	putchar('\n');
	for (size_t i = 0; i < v->n && shown < SHOWN_MAX; i++) {
		const struct mutant_record *m = &v->list[i];
		const char *such = example(a, v, m);
		if (!is_missing(m))
			continue;
		if (m->rule != rule)
			print_place(v, rule = m->rule);
		fputs("  ", stdout);
		put_text(stdout, missing_text(a, v, m));
		if (such)
			printf(": %s", such);
		else
			fputs(": not decided, no such request was found", stdout);
		putchar('\n');
		shown++;
	}
	if (shown < missing)
		printf("%zu more are in --json\n", missing - shown);
}

/* ---- JSON ------------------------------------------------------------------------------------------ */

static json_t *missing_json(struct arena *a, const struct covered *v, const struct mutant_record *m)
{
	static const char *const kinds[MUTANT_KINDS] = {
		[MUTANT_RULE] = "rule", [MUTANT_VERDICT] = "verdict", [MUTANT_DEFAULT] = "default", [MUTANT_VALUE] = "boundary",
		[MUTANT_LETTER] = "letter", [MUTANT_CONDITION] = "condition"};
	const struct policy *p = v->policy;
	const struct rule *r = m->rule ? &p->rules[m->rule - 1] : NULL;
	struct span at = r ? r->at : p->default_at;
	const char *such = example(a, v, m);
	return json_pack("{s:s, s:i, s:o, s:i, s:o, s:o, s:b}", "kind", kinds[m->kind], "rule", (int)m->rule, "file",
	                 text_json(at.file ? at.file : p->file), "line", at.line, "text", text_json(missing_text(a, v, m)), "case",
	                 such ? text_json(such) : json_null(), "decided", m->fate != FATE_UNDECIDED);
}

/* How much is covered of each rule, and of the default as rule 0. */
static json_t *rules_json(struct arena *a, const struct covered *v)
{
	const struct policy *p = v->policy;
	json_t *list = json_array();
	size_t *all = arena_alloc(a, 2 * (p->nrules + 1) * sizeof *all), *killed = all + p->nrules + 1;
	for (size_t i = 0; i < v->n; i++) {
		all[v->list[i].rule]++;
		killed[v->list[i].rule] += v->list[i].fate == FATE_KILLED;
	}
	for (size_t i = 0; i <= p->nrules; i++) {
		struct span at = i ? p->rules[i - 1].at : p->default_at;
		json_array_append_new(list, json_pack("{s:i, s:o, s:i, s:I, s:I}", "rule", (int)i, "file",
		                                      text_json(at.file ? at.file : p->file), "line", at.line, "decisions", (json_int_t)all[i], "covered", (json_int_t)killed[i]));
	}
	return list;
}

json_t *coverage_json(struct arena *a, const struct covered *v)
{
	json_t *missing = json_array();
	for (size_t i = 0; i < v->n; i++)
		if (is_missing(&v->list[i]))
			json_array_append_new(missing, missing_json(a, v, &v->list[i]));
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}", "decisions", (json_int_t)v->n, "covered", (json_int_t)v->killed,
	                 "not_decided", (json_int_t)v->undecided, "not_counted", (json_int_t)v->undecidable, "rules", rules_json(a, v), "missing",
	                 missing);
}

/* ---- a file of cases ---------------------------------------------------------------------------------- */

/* What a case is for: the decisions that only it tells, some of them. */
static const char *reasons(struct arena *a, const struct covered *v, size_t place, uint32_t *rule)
{
	const char *text = "", *of = "";
	size_t n = 0;
	uint32_t before = 0;
	*rule = 0;
	for (size_t i = 0; i < v->n; i++) {
		const struct mutant_record *m = &v->list[i];
		if (m->fate != FATE_LIVES || m->by != place + 1 || !m->needed || ++n > REASONS_MAX)
			continue;
		if (n == 1)
			*rule = before = m->rule;
		const char *where = m->rule && m->rule != before ? arena_printf(a, "line %d: ", v->policy->rules[m->rule - 1].at.line) : "";
		const char *pattern = m->kind != MUTANT_CONDITION && *m->text ? arena_printf(a, "%s: ", m->text) : "";
		const char *what = decision_text(a, m) + strlen(pattern);
		text = arena_printf(a, "%s%s%s%s%s", text, n > 1 ? ", " : "", where, n > 1 && !strcmp(pattern, of) ? "" : pattern, what);
		of = pattern;
		before = m->rule;
	}
	return n > REASONS_MAX ? arena_printf(a, "%s; and %zu more", text, n - REASONS_MAX) : text;
}

static void write_place(FILE *out, const struct covered *v, uint32_t rule)
{
	const struct rule *r = rule ? &v->policy->rules[rule - 1] : NULL;
	fputs("\n# ", out);
	if (r)
		fprintf(out, "line %d: ", r->at.line);
	put_text(out, r ? r->source ? r->source + strspn(r->source, " \t") : "the rule" : "the default");
	putc('\n', out);
}

void coverage_write(FILE *out, struct arena *a, const struct covered *v, const char *file, bool alone)
{
	uint32_t before = UINT32_MAX, rule;
	int wide = 0;
	for (size_t i = 0; i < v->ncases; i++) {
		size_t n = strlen(case_text(a, &v->cases[i]));
		wide = n > (size_t)wide && n <= WIDE_MAX ? (int)n : wide;
	}
	fputs(alone ? "# Made by `" PROGRAM " test --complete " : "\n# Added by `" PROGRAM " test --complete ", out);
	put_text(out, file);
	fputs("`: without one of these\n# cases some change of a line would go unnoticed.\n", out);
	for (size_t i = 0; i < v->ncases; i++) {
		const char *why = reasons(a, v, i, &rule);
		if (rule != before)
			write_place(out, v, before = rule);
		fprintf(out, "%-*s  # ", wide, case_text(a, &v->cases[i]));
		put_text(out, why);
		putc('\n', out);
	}
	if (v->undecided)
		fprintf(out, "\n# %zu decision%s without a case, because no such request was found: --coverage tells them.\n", v->undecided,
		        PLURAL(v->undecided));
}
