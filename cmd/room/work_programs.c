/*
 * work_programs.c - programs of the kernel, read: the rules that mean the same as all of them together,
 * and as each.
 *
 * Each is decoded once, all into one set of diagrams. A program that does not fit into what the others
 * left of that set's budget, or of its variables, has a set of its own: then all together are not told.
 *
 * Each program must allow what those before it allow. Only a host program (policy/hostprog.h) opens what they deny:
 * it is not decoded, what it opens is said instead.
 */
#include "cmd/room/judge.h"

#include <string.h>

#include "compiler/decode/decode.h"
#include "policy/dump.h"
#include "policy/opens.h"
#include "policy/recover.h"

/* Some diagrams, and the values in them that are not understood. */
struct set {
	struct terms *ts;
	struct diagrams *dg;
	size_t unknown;
};

static struct set set_new(struct arena *a)
{
	struct set s = {.ts = terms_new(a)};
	s.dg = diagrams_new(a, s.ts, ORDER_FACTS_LAST);
	return s;
}

static int decode(struct arena *a, struct diags *d, const char *name, const struct dump *program, struct set *s, node *out)
{
	struct decoded one;
	const node allow = diagram_terminal(OUT_ALLOW), deny = diagram_terminal(OUT_DENY);
	if (program->is != DUMP_PROGRAM) {
		*out = program->is == DUMP_OPENS_ALL
		               ? requests_within(s->dg, allow, deny)
		               : diagram_ite(s->dg, requests_opened(a, s->dg, program->opens, program->nopens), allow, deny);
		return diagram_ok(s->dg) ? 0 : diag_fail(d, NULL, "%s: its grants are too many to be told", name);
	}
	names_in_program(a, name, program, terms_asked(s->ts));
	if (decode_program(a, d, name, program, s->dg, s->ts, s->unknown, &one))
		return -1;
	/* what is only reported or counted leaves its variable to the next program */
	for (input_set used = diagram_inputs(a, s->dg, one.verdict) >> (IN_PARAM_0 + s->unknown); used; used >>= 1)
		s->unknown++;
	*out = one.verdict;
	return 0;
}

/* What is allowed by those up to a program, when those before it allow `all`. */
static node after(struct set *s, const struct dump *program, node all, node one)
{
	return program->is == DUMP_PROGRAM ? diagram_ite(s->dg, all, one, diagram_terminal(OUT_DENY))
	                                   : diagram_ite(s->dg, all, diagram_terminal(OUT_ALLOW), one);
}

/* What the verdict hangs on that is not understood: counted, and a line each. */
static void find_unknown(struct judge *j, const struct set *s, node verdict)
{
	input_set inputs = diagram_inputs(j->in->arena, s->dg, verdict);
	j->told = "";
	j->unknown = 0;
	for (size_t i = 0; i < s->unknown; i++) {
		enum input in = (enum input)(IN_PARAM_0 + i);
		if (!(inputs & INPUT(in)))
			continue;
		j->unknown++;
		j->told = arena_printf(j->in->arena, "%s%s\n", j->told, terms_input_name(s->ts, in));
	}
}

static int recover(struct judge *j, struct diags *d, const struct set *s, node verdict)
{
	const char *text;
	bool in_ruby;
	if (policy_recover(j->in->arena, d, j->file, NULL, s->dg, s->ts, verdict, &j->policy, &text, &in_ruby)) {
		if (d->n) /* without rules there is nothing to ask */
			d->items[d->n - 1].hint = "verify POLICY CGROUP says whether it is the program of a policy";
		return -1;
	}
	find_unknown(j, s, verdict);
	return 0;
}

static const char *name_of(const struct judge *j, size_t i, size_t n)
{
	return n == 1 ? j->file : arena_printf(j->in->arena, "program %zu of %zu of %s", i + 1, n, j->file);
}

/* ---- all of them ------------------------------------------------------------------------------ */

static bool read_together(struct judge *j, const struct dump *list, size_t n)
{
	struct arena *a = j->in->arena;
	struct diags *d = &j->in->diags;
	struct set s = set_new(a);
	node all = diagram_terminal(OUT_ALLOW), one;
	for (size_t i = 0; i < n; i++) {
		if (decode(a, d, name_of(j, i, n), &list[i], &s, &one))
			return false;
		all = after(&s, &list[i], all, one);
	}
	if (recover(j, d, &s, all))
		return false;
	for (const char *at = j->told; *at; at += strcspn(at, "\n") + 1)
		diag_add(d, DIAG_WARNING, (struct span){.file = j->file}, "eval says which requests hang on it",
		         "it decides by what is not understood: %.*s", (int)strcspn(at, "\n"), at);
	return true;
}

/* ---- each ------------------------------------------------------------------------------------------- */

/* The reason is the text of its part. */
static void cannot(struct judge *j, const struct diags *said)
{
	const struct diag *last = said->n ? &said->items[said->n - 1] : NULL;
	j->policy = NULL;
	j->told = !last        ? "it cannot be read"
	          : last->hint ? arena_printf(j->in->arena, "%s\n%s", last->text, last->hint)
	                       : last->text;
}

/* It can be asked: it is told in rules, and those have a diagram. */
static int answers(struct judge *j, struct diags *d, const struct set *s, node verdict)
{
	return recover(j, d, s, verdict) || policy_diagram_any(j->policy, d, &j->diagram) ? -1 : 0;
}

/* By itself, when it is not told by what was read together with the others. */
static void read_alone(struct judge *j, const struct dump *program)
{
	struct arena *a = j->in->arena;
	struct set own = set_new(a);
	struct diags said;
	node verdict;
	diags_init(&said, a);
	if (decode(a, &said, j->file, program, &own, &verdict) || answers(j, &said, &own, verdict))
		cannot(j, &said);
}

static void read_each(struct judge *j, const struct dump *list, size_t n)
{
	struct arena *a = j->in->arena;
	struct set s = set_new(a);
	struct diags said, ignored;
	node all = diagram_terminal(OUT_ALLOW), *verdict = arena_alloc(a, n * sizeof *verdict);
	bool *read = arena_alloc(a, n * sizeof *read), whole = true;
	diags_init(&said, a);
	diags_init(&ignored, a);
	j->parts = arena_alloc(a, n * sizeof *j->parts);
	j->nparts = n;
	for (size_t i = 0; i < n; i++) {
		j->parts[i] = (struct judge){.in = j->in, .program = &list[i], .file = name_of(j, i, n)};
		read[i] = !decode(a, &said, j->parts[i].file, &list[i], &s, &verdict[i]);
		whole &= read[i];
		if (read[i])
			all = after(&s, &list[i], all, verdict[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (!read[i] || answers(&j->parts[i], &ignored, &s, verdict[i]))
			read_alone(&j->parts[i], &list[i]);
	if (n == 1) {
		j->policy = j->parts->policy;
		j->diagram = j->parts->diagram;
		j->told = j->parts->told;
	} else if (!whole || answers(j, &said, &s, all)) {
		cannot(j, &said);
	}
}

bool judge_reads_programs(struct judge *j, const struct order *o)
{
	struct dump *list;
	size_t n;
	if (!dumps_read(j->in->arena, o->text, o->len, &list, &n))
		return false;
	if (!(o->job.flags & JOB_EACH))
		return read_together(j, list, n);
	read_each(j, list, n);
	return true;
}
