/*
 * steps.c - what a raw program does on its paths, in order.
 *
 * A path keeps its steps as a list from the last one back, shared with the paths it parted from. Where paths meet,
 * what each did since they parted stands below one step that chooses. So the steps are a tree whose leaves are as
 * many as the instructions that act, not as the paths.
 */
#include "compiler/lift/lifter.h"

#include <string.h>

enum { STEPS_MAX = 100000, VALUES_MAX = 20000 };

static struct trail *after(struct lifter *l, struct trail *up)
{
	struct trail *t = arena_alloc(l->arena, sizeof *t);
	*t = (struct trail){.up = up, .depth = up ? up->depth + 1 : 1};
	if (t->depth > STEPS_MAX)
		lift_refuse(l, "loops must end by values known when the program is compiled", "more than %d steps", STEPS_MAX);
	return t;
}

struct step *trail_step(struct lifter *l, struct state *st, enum step_kind kind)
{
	st->trail = after(l, st->trail);
	st->trail->step = (struct step){.kind = kind, .at = lift_place(l)};
	return &st->trail->step;
}

uint32_t trail_value(struct lifter *l, const char *name, int64_t lo, int64_t hi)
{
	struct raw *raw = l->raw;
	uint32_t number = (uint32_t)raw->nvalues;
	if (raw->nvalues == VALUES_MAX)
		lift_refuse(l, "learn less in a loop", "the program learns more than %d values", VALUES_MAX);
	name = arena_strdup(l->rb->arena, name);
	*ARENA_PUSH(l->rb->arena, raw->values, raw->nvalues, raw->values_cap) = (struct raw_value){.name = name, .line = lift_place(l).line, .lo = lo, .hi = hi};
	terms_value_name(l->terms, number, name);
	return number;
}

struct val trail_read(struct lifter *l, uint32_t value)
{
	const struct raw_value *v = &l->raw->values[value];
	return val_int(l, term_value(l->terms, value, v->lo, v->hi));
}

/* What was done since, as a list of its own. */
static struct step *since(struct lifter *l, const struct trail *last, const struct trail *from)
{
	struct step *list = NULL;
	for (; last != from; last = last->up) {
		struct step *copy = arena_alloc(l->rb->arena, sizeof *copy);
		*copy = last->step;
		copy->next = list;
		list = copy;
	}
	return list;
}

static struct trail *parting(struct trail *a, struct trail *b)
{
	while (a != b) {
		if (!b || (a && a->depth >= b->depth))
			a = a->up;
		else
			b = b->up;
	}
	return a;
}

/* ---- what a condition reads --------------------------------------------------------------- */

static uint32_t *look_array(struct lifter *l, uint32_t *array, size_t *cap, size_t n)
{
	if (n <= *cap)
		return array;
	uint32_t *grown = arena_alloc(l->arena, 2 * n * sizeof *grown);
	memset(grown, 0, 2 * n * sizeof *grown);
	if (*cap)
		memcpy(grown, array, *cap * sizeof *grown);
	*cap = 2 * n;
	return grown;
}

static void mark_made(struct lifter *l, const struct step *s)
{
	if (step_learns(s))
		l->looked_values[s->value] = l->look;
	if (s->kind == STEP_GET)
		l->looked_values[s->found] = l->look;
	for (const struct step *x = s->kind == STEP_IF ? s->yes : NULL; x; x = x->next)
		mark_made(l, x);
	for (const struct step *x = s->kind == STEP_IF ? s->no : NULL; x; x = x->next)
		mark_made(l, x);
}

/* Terms have larger ids than their operands: so one way down is enough. */
static bool reads_marked(struct lifter *l, term root)
{
	term *todo = NULL, below[3];
	size_t n = 0, cap = 0;
	*ARENA_PUSH(l->arena, todo, n, cap) = root;
	while (n) {
		term t = todo[--n];
		if (l->looked_terms[t] == l->look || !(term_get(l->terms, t)->inputs & INPUT(INPUT_VALUES)))
			continue;
		l->looked_terms[t] = l->look;
		const struct term_node *k = term_get(l->terms, t);
		if (raw_value_of(k) >= 0 && l->looked_values[raw_value_of(k)] == l->look)
			return true;
		for (size_t i = term_operands(k, below); i-- > 0;)
			*ARENA_PUSH(l->arena, todo, n, cap) = below[i];
	}
	return false;
}

bool trail_reads_since(struct lifter *l, struct trail *a, struct trail *b, term condition)
{
	const struct trail *both = parting(a, b);
	if (!(term_get(l->terms, condition)->inputs & INPUT(INPUT_VALUES)))
		return false;
	l->looked_terms = look_array(l, l->looked_terms, &l->looked_terms_cap, terms_count(l->terms));
	l->looked_values = look_array(l, l->looked_values, &l->looked_values_cap, l->raw->nvalues + 1);
	l->look++;
	for (; a != both; a = a->up)
		mark_made(l, &a->step);
	for (; b != both; b = b->up)
		mark_made(l, &b->step);
	return reads_marked(l, condition);
}

static bool learns(const struct step *s)
{
	if (s->kind != STEP_IF)
		return step_learns(s);
	for (const struct step *x = s->yes; x; x = x->next)
		if (learns(x))
			return true;
	for (const struct step *x = s->no; x; x = x->next)
		if (learns(x))
			return true;
	return false;
}

bool trail_learns_since(struct trail *a, struct trail *b)
{
	const struct trail *both = parting(a, b);
	bool found = false;
	for (; a != both; a = a->up)
		found |= learns(&a->step);
	for (; b != both; b = b->up)
		found |= learns(&b->step);
	return found;
}

struct trail *trail_merge(struct lifter *l, struct trail *a, struct trail *b, term condition)
{
	struct trail *both = parting(a, b), *t = after(l, both);
	t->step = (struct step){.kind = STEP_IF, .at = lift_place(l), .condition = condition,
	                        .yes = since(l, a, both), .no = since(l, b, both)};
	return t;
}

/* ---- what is used ------------------------------------------------------------------------- */

struct uses {
	struct lifter *l;
	bool *seen;  /* terms */
	bool *value; /* values that a later step uses */
	term *todo;
};

static void use(struct uses *u, term t)
{
	size_t n = 0;
	term below[3];
	u->todo[n++] = t;
	while (n) {
		t = u->todo[--n];
		if (u->seen[t])
			continue;
		u->seen[t] = true;
		const struct term_node *k = term_get(u->l->terms, t);
		if (raw_value_of(k) >= 0)
			u->value[raw_value_of(k)] = true;
		for (size_t i = term_operands(k, below); i-- > 0;)
			u->todo[n++] = below[i];
	}
}

static void use_operands(struct uses *u, const struct step *s)
{
	for (size_t i = 0; i < s->nargs; i++)
		if (!s->args[i].is_comm)
			use(u, s->args[i].t);
	if ((s->kind == STEP_SET || s->kind == STEP_ADD) && !s->operand.is_comm)
		use(u, s->operand.t);
}

/* From the last step to the first: what a later one uses is known then. Without recursion but into `if`. */
static struct step *without_unused(struct uses *u, struct step *list)
{
	size_t n = 0;
	for (struct step *s = list; s; s = s->next)
		n++;
	struct step **all = arena_alloc(u->l->arena, (n + 1) * sizeof *all), *kept = NULL;
	n = 0;
	for (struct step *s = list; s; s = s->next)
		all[n++] = s;
	while (n) {
		struct step *s = all[--n];
		if (step_learns(s) && !u->value[s->value] && !(s->kind == STEP_GET && u->value[s->found]))
			continue;
		if (s->kind == STEP_IF) {
			s->yes = without_unused(u, s->yes);
			s->no = without_unused(u, s->no);
			if (!s->yes && !s->no)
				continue;
			use(u, s->condition); /* before there are new terms */
			if (!s->yes) {
				s->condition = term_not(u->l->terms, s->condition);
				s->yes = s->no;
				s->no = NULL;
			}
		}
		use_operands(u, s);
		s->next = kept;
		kept = s;
	}
	return kept;
}

struct step *trail_steps(struct lifter *l, const struct trail *last, const term *kept, size_t nkept)
{
	size_t n = terms_count(l->terms);
	struct uses u = {.l = l, .seen = arena_alloc(l->arena, n * sizeof *u.seen), .todo = arena_alloc(l->arena, (3 * n + 4) * sizeof *u.todo),
	                 .value = arena_alloc(l->arena, (l->raw->nvalues + 1) * sizeof *u.value)};
	memset(u.seen, 0, n * sizeof *u.seen);
	memset(u.value, 0, (l->raw->nvalues + 1) * sizeof *u.value);
	for (size_t i = 0; i < nkept; i++)
		use(&u, kept[i]);
	return without_unused(&u, since(l, last, NULL));
}

/* ---- names ---------------------------------------------------------------------------------- */

struct naming { const char **names; size_t n, cap; };

/* How often the name was given before. */
static size_t given_before(struct lifter *l, struct naming *to, const char *name)
{
	size_t times = 0;
	for (size_t i = 0; i < to->n; i++)
		times += !strcmp(to->names[i], name);
	*ARENA_PUSH(l->arena, to->names, to->n, to->cap) = name;
	return times;
}

static void rename_value(struct lifter *l, uint32_t value, const char *name)
{
	l->raw->values[value].name = name;
	terms_value_name(l->terms, value, name);
}

static void name_learned(struct lifter *l, struct naming *to, const struct step *s)
{
	const char *name = l->raw->values[s->value].name;
	size_t before = given_before(l, to, name);
	if (!before)
		return;
	name = arena_printf(l->rb->arena, "%s#%zu", name, before + 1);
	rename_value(l, s->value, name);
	if (s->kind == STEP_GET)
		rename_value(l, s->found, arena_printf(l->rb->arena, "%s?", name));
}

static void name_all(struct lifter *l, struct naming *to, const struct step *s)
{
	for (; s; s = s->next) {
		if (step_learns(s))
			name_learned(l, to, s);
		if (s->kind == STEP_IF) {
			name_all(l, to, s->yes);
			name_all(l, to, s->no);
		}
	}
}

void trail_name(struct lifter *l, const struct step *steps)
{
	struct naming names = {0};
	name_all(l, &names, steps);
}
