/*
 * work_tell.c - listings of what the judge proved.
 */
#include "cmd/room/judge.h"

#include <string.h>

#include "policy/picture.h"
#include "policy/raw.h"
#include "policy/recover.h"

static void write_terms(FILE *out, struct arena *a, const struct policy *p)
{
	size_t n = 0, total = p->nrules;
	for (size_t i = 0; i < p->nrules; i++)
		total += p->rules[i].nraises;
	term *roots = arena_alloc(a, total * sizeof *roots);
	const char **names = arena_alloc(a, total * sizeof *names);
	for (size_t k = 0; k < p->nrules; k++) {
		const struct rule *r = &p->rules[k];
		for (size_t i = 0; i < r->nraises; i++, n++) {
			roots[n] = r->raises[i].when;
			names[n] = arena_printf(a, "error line %d", r->raises[i].at.line);
		}
		roots[n] = r->match;
		names[n++] = arena_printf(a, "%s line %d", r->deny ? "deny" : "allow", r->at.line);
	}
	if (p->raw)
		raw_dump(out, p->terms, p->raw);
	terms_dump(out, p->terms, roots, names, n);
}

/* The policy as the rules that it amounts to; with `ruby`, only where all of it is Ruby. */
static bool write_rules(FILE *out, struct judge *j, bool ruby)
{
	static const char why[] = "a condition cannot be said in Ruby: halves of a name, or what is not understood";
	struct diags *d = &j->in->diags;
	struct policy_diagram pd;
	struct policy *p;
	const char *text;
	bool in_ruby;
	if (policy_diagram(j->policy, d, ORDER_FACTS_LAST, &pd) ||
	    policy_recover(j->in->arena, d, j->policy->file, j->policy, pd.dg, j->policy->terms, pd.verdict, &p, &text, &in_ruby))
		return false;
	if (!in_ruby && ruby)
		return !diag_fail(d, "without --ruby it is printed for people", "%s", why);
	if (!in_ruby)
		diag_add(d, DIAG_WARNING, (struct span){.file = j->policy->file}, NULL, "%s", why);
	fprintf(out, "%s", text);
	return true;
}

bool judge_tells(struct judge *j, const struct frame *f)
{
	bool failed = false;
	struct about about = {.kind = DUMP_ASM};
	struct arena_stream s;
	FILE *out = arena_stream(j->in->arena, &s);
	memcpy(&about, f->data, f->len == sizeof about ? sizeof about : 0);
	uint32_t kind = about.kind;
	if (!policy_decides(j->policy) && kind != DUMP_ASM && kind != DUMP_TERMS)
		return !diag_fail(&j->in->diags, "--emit=asm and --emit=terms show it", "a program of section %s decides about no device: it has no diagram",
		                  j->policy->raw->section_name);
	if (kind == DUMP_ASM)
		emit_asm(out, j->policy, &j->image);
	if (kind == DUMP_TERMS)
		write_terms(out, j->in->arena, j->policy);
	if (kind == DUMP_DIAGRAM)
		diagram_dump(out, j->diagram.dg, j->diagram.verdict);
	if (kind == DUMP_DOT)
		policy_picture(out, j->policy);
	if (kind == DUMP_RULES || kind == DUMP_RUBY)
		failed = !write_rules(out, j, kind == DUMP_RUBY);
	if (kind == DUMP_ORDERS)
		failed = compile_dump_orders(out, j->policy, &j->in->diags);
	const char *text = arena_text(j->in->arena, &s);
	inside_write(j->in, FRAME_TEXT, text, s.len);
	return !failed;
}
