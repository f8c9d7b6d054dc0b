/*
 * explain.c - a verdict about requests as rules for people.
 *
 * Devices that are treated alike are classes (classes.c). What is asked of a device (r, w, m, nothing,
 * and r with w where that is not the one and the other) has an answer each: a condition. Most devices
 * of a type are one class, the rest. The others are told by what differs from it: letter by
 * letter, letters with the same answer in one rule, and classes with the same difference too.
 */
#include "policy/explain.h"
#include "policy/arena.h"
#include "policy/classes.h"
#include "policy/recover_patterns.h"

#include <string.h>

enum { CLASSES_MAX = 4096, READ_WRITE = ACC_READ | ACC_WRITE };

/* What may be asked: a letter each, nothing, and the two together. */
enum part { PART_READ, PART_WRITE, PART_MAKE, PART_BOTH, PART_NOTHING, PARTS };
static const int asked_of[PARTS] = {ACC_READ, ACC_WRITE, ACC_MKNOD, READ_WRITE, 0};

struct answers {
	node of[PARTS];
	bool by_letters; /* r with w is r and w */
};

/* A rule without its devices, and the classes that it is about. */
struct difference {
	struct explained rule;
	size_t *classes[DEV_CHAR + 1];
	size_t n[DEV_CHAR + 1], cap[DEV_CHAR + 1];
};

struct explaining {
	struct arena *arena;
	struct diagrams *dg;
	const struct terms *terms;
	struct device_classes classes;
	struct answers *answers;             /* by class */
	const struct answers *rest[DEV_CHAR + 1];
	struct difference *list;
	size_t n, cap;
	struct explanation *out;
};

const char *const explain_words[EXPLAIN_VERDICTS] = {"allow", "deny", "unknown"};

/* ---- answers -------------------------------------------------------------------------------- */

static node allow(void)
{
	return diagram_terminal(OUT_ALLOW);
}

static node deny(void)
{
	return diagram_terminal(OUT_DENY);
}

static node both(struct diagrams *dg, node x, node y)
{
	return diagram_ite(dg, x, y, deny());
}

static node either(struct diagrams *dg, node x, node y)
{
	return diagram_ite(dg, x, allow(), y);
}

static node answer_to(const struct device_classes *cs, const struct device_class *c, int set)
{
	for (int i = 0; i < cs->nasked; i++)
		if (cs->asked[i] == set)
			return c->answer[i];
	return deny(); /* not asked for each by itself: answers_of() has it */
}

static struct answers answers_of(struct explaining *x, const struct device_class *c)
{
	struct answers out;
	for (int i = 0; i < PARTS; i++)
		out.of[i] = answer_to(&x->classes, c, asked_of[i]);
	node together = both(x->dg, out.of[PART_READ], out.of[PART_WRITE]);
	if (x->classes.nasked < ASKED_MAX) /* each access is asked about by itself */
		out.of[PART_BOTH] = together;
	out.by_letters = out.of[PART_BOTH] == together;
	return out;
}

/* Is a device there where one of its letters is allowed? */
static bool there_by_letters(struct diagrams *dg, const struct answers *s)
{
	return s->of[PART_NOTHING] == either(dg, s->of[PART_READ], either(dg, s->of[PART_WRITE], s->of[PART_MAKE]));
}

/* ---- differences ------------------------------------------------------------------------------ */

static bool same_text(const char *x, const char *y)
{
	return x == y || (x && y && !strcmp(x, y));
}

static bool same_rule(const struct explained *x, const struct explained *y)
{
	return x->verdict == y->verdict && x->pattern.access == y->pattern.access && x->asked == y->asked && x->allowed == y->allowed &&
	       same_text(x->when, y->when);
}

static void add(struct explaining *x, const struct explained *rule, size_t class, int type)
{
	struct difference *d = x->list, *end = d + x->n;
	while (d < end && !same_rule(&d->rule, rule))
		d++;
	if (d == end) {
		d = ARENA_PUSH(x->arena, x->list, x->n, x->cap);
		*d = (struct difference){.rule = *rule};
	}
	*ARENA_PUSH(x->arena, d->classes[type], d->n[type], d->cap[type]) = class;
}

/* What a class's answer to `access` is, where it is another one than that of the rest. `asked`: in words,
 * what is asked for together; NULL: wherever it is asked for. */
static struct explained differs(struct explaining *x, int access, node own, node rest, const char *asked)
{
	struct explained r = {.verdict = own == deny() ? EXPLAIN_DENY : EXPLAIN_ALLOW, .pattern.access = access,
	                      .asked = asked ? access : -1, .allowed = own};
	outcome o;
	if (node_is_terminal(own, &o)) {
		r.when = asked ? arena_printf(x->arena, "when %s", asked) : NULL;
		return r;
	}
	struct condition_words w = condition_in_words(x->arena, x->dg, x->terms, own);
	if (w.unknown) {
		r.verdict = EXPLAIN_UNKNOWN;
		r.when = arena_printf(x->arena, "hangs on %s", w.text);
		return r;
	}
	bool unless = w.negated;
	if (rest == allow()) { /* it is an exception */
		r.verdict = EXPLAIN_DENY;
		unless = !unless;
	}
	const char *lead = w.many ? "for some" : unless ? "unless" : "only when";
	if (w.many)
		w.text = arena_printf(x->arena, "%s (too many cases for a line)", w.text);
	r.when = asked ? arena_printf(x->arena, "when %s, %s %s", asked, lead, w.text) : arena_printf(x->arena, "%s %s", lead, w.text);
	return r;
}

static void by_letters(struct explaining *x, size_t class, int type, const struct answers *own, const struct answers *rest)
{
	int told = 0;
	for (int i = PART_READ; i <= PART_MAKE; i++) {
		int letters = 0;
		for (int k = i; k <= PART_MAKE; k++)
			if (own->of[k] == own->of[i] && rest->of[k] == rest->of[i] && !(told & asked_of[k]))
				letters |= asked_of[k];
		told |= letters;
		if (!letters || own->of[i] == rest->of[i])
			continue;
		struct explained r = differs(x, letters, own->of[i], rest->of[i], NULL);
		add(x, &r, class, type);
	}
}

/* Where r with w is something else than each: by all that is asked for together. */
static void by_request(struct explaining *x, size_t class, int type, const struct answers *own, const struct answers *rest)
{
	static const struct { enum part part; const char *asked; } parts[] = {
		{PART_READ, "r alone is asked for"}, {PART_WRITE, "w alone is asked for"}, {PART_BOTH, "both are asked for"}, {PART_MAKE, NULL}};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		enum part p = parts[i].part;
		if (own->of[p] == rest->of[p])
			continue;
		struct explained r = differs(x, asked_of[p], own->of[p], rest->of[p], parts[i].asked);
		add(x, &r, class, type);
	}
}

static void add_class(struct explaining *x, size_t class, int type, const struct answers *rest)
{
	const struct answers *own = &x->answers[class];
	if (own->by_letters && rest->by_letters)
		by_letters(x, class, type, own, rest);
	else
		by_request(x, class, type, own, rest);
	node n = own->of[PART_NOTHING];
	if (there_by_letters(x->dg, rest) ? there_by_letters(x->dg, own) : n == rest->of[PART_NOTHING])
		return;
	struct explained r = differs(x, 0, n, n == deny() ? allow() : deny(), NULL);
	add(x, &r, class, type);
}

/* ---- rules ------------------------------------------------------------------------------------ */

static void add_rule(struct explaining *x, const struct difference *d, struct pattern p)
{
	p.access = ACC_ALL;
	p.text = pattern_text(x->arena, &p);
	p.text = arena_strndup(x->arena, p.text, (size_t)(strrchr(p.text, ' ') - p.text));
	struct explained *r = ARENA_PUSH(x->arena, x->out->list, x->out->n, x->out->cap);
	*r = d->rule;
	p.access = d->rule.pattern.access;
	r->pattern = p;
}

static void rules_of(struct explaining *x, const struct difference *d)
{
	struct rule r = {.deny = false};
	size_t cap = 0;
	for (int type = DEV_CHAR; type >= DEV_BLOCK; type--) {
		const struct block_of_devices **blocks = NULL;
		size_t n = 0, room = 0;
		for (size_t i = 0; i < d->n[type]; i++) {
			const struct device_class *c = &x->classes.list[d->classes[type][i]];
			for (size_t k = 0; k < c->nblocks; k++)
				if (c->blocks[k].type == type)
					*ARENA_PUSH(x->arena, blocks, n, room) = &c->blocks[k];
		}
		if (n)
			rule_add_blocks(x->arena, &r, &cap, ACC_ALL, blocks, n);
	}
	rule_join_types(&r);
	for (size_t i = 0; i < r.npatterns; i++)
		add_rule(x, d, r.patterns[i]);
}

/* All devices of a type. */
static void rules_of_rest(struct explaining *x, const struct difference *d)
{
	struct interval *all = arena_alloc(x->arena, 2 * sizeof *all);
	all[0] = (struct interval){0, MAJOR_MAX};
	all[1] = (struct interval){0, MINOR_MAX};
	int types = (d->n[DEV_CHAR] ? DEV_CHAR : 0) | (d->n[DEV_BLOCK] ? DEV_BLOCK : 0);
	add_rule(x, d, (struct pattern){.types = types, .majors = &all[0], .nmajors = 1, .minors = &all[1], .nminors = 1});
}

static size_t rest_of(const struct explaining *x, int type)
{
	size_t most = 0;
	for (size_t i = 1; i < x->classes.n; i++)
		if (x->classes.list[i].devices[type] > x->classes.list[most].devices[type])
			most = i;
	return most;
}

static void all_rules(struct explaining *x)
{
	struct answers none = {.by_letters = true};
	for (int i = 0; i < PARTS; i++)
		none.of[i] = deny();
	size_t rest[DEV_CHAR + 1];
	for (int type = DEV_CHAR; type >= DEV_BLOCK; type--) {
		rest[type] = rest_of(x, type);
		for (size_t i = 0; i < x->classes.n; i++)
			if (i != rest[type] && x->classes.list[i].devices[type])
				add_class(x, i, type, &x->answers[rest[type]]);
	}
	for (size_t i = 0; i < x->n; i++)
		rules_of(x, &x->list[i]);
	x->n = 0;
	for (int type = DEV_CHAR; type >= DEV_BLOCK; type--)
		add_class(x, rest[type], type, &none);
	for (size_t i = 0; i < x->n; i++)
		rules_of_rest(x, &x->list[i]);
}

int policy_explain(struct arena *a, struct diags *d, const char *name, struct diagrams *dg, struct terms *ts, node verdict,
                   struct explanation *out)
{
	const struct policy_diagram pd = {.dg = dg, .access = verdict, .attribution = verdict};
	struct explaining x = {.arena = a, .dg = dg, .terms = ts, .out = out};
	*out = (struct explanation){0};
	if (!device_classes(a, &pd, CLASSES_MAX, &x.classes))
		return diag_fail(d, "eval answers single requests", "%s treats too many devices differently to be told in rules", name);
	x.answers = arena_alloc(a, (x.classes.n + 1) * sizeof *x.answers);
	for (size_t i = 0; i < x.classes.n; i++)
		x.answers[i] = answers_of(&x, &x.classes.list[i]);
	all_rules(&x);
	return diagram_ok(dg) ? 0 : diag_fail(d, "eval answers single requests", "%s has too many conditions to be told in rules", name);
}
