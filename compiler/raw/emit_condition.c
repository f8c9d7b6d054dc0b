/*
 * emit_condition.c - the condition of an IF as jumps.
 *
 * A comparison is asked only where those before it do not decide, and no way asks one twice: conditions
 * that have a comparison in common are computed as one number instead, each part once.
 */
#include "compiler/raw/emit.h"

enum { COMPARISONS_MAX = 4096, HEIGHT_MAX = 20000 };

void raw_jump_later(struct raw_emitter *e, struct raw_jumps *j, size_t at)
{
	j->have = j->n ? j->have & e->expr.have : e->expr.have;
	*ARENA_PUSH(e->code.arena, j->at, j->n, j->cap) = (uint32_t)at;
}

void raw_land(struct raw_emitter *e, struct raw_jumps *j)
{
	for (size_t i = 0; i < j->n; i++)
		code_land(&e->code, j->at[i]);
	if (j->n)
		e->expr.have &= j->have;
	j->n = 0;
}

/* ---- how many comparisons ------------------------------------------------------------------ */

static const struct term_node *node_of(const struct raw_emitter *e, term t)
{
	return term_get(e->policy->terms, t);
}

/* Counts the comparisons below a condition that were not counted yet. */
static uint32_t count(struct raw_emitter *e, term t)
{
	const struct term_node *n = node_of(e, t);
	if (n->op == TERM_NOT)
		return count(e, n->a);
	if (e->stamp[t] == e->epoch)
		return 0;
	e->stamp[t] = e->epoch;
	return n->op == TERM_AND ? count(e, n->a) + count(e, n->b) : 1;
}

/* Have two conditions no comparison in common? */
static bool apart(struct raw_emitter *e, term x, term y)
{
	uint32_t both, sum;
	e->epoch++;
	both = count(e, x) + count(e, y);
	e->epoch++;
	sum = count(e, x);
	e->epoch++;
	return both == sum + count(e, y);
}

/* ---- jumps ----------------------------------------------------------------------------------- */

static void jump_by_number(struct raw_emitter *e, term t, bool sense, struct raw_jumps *out)
{
	expr_value(&e->expr, t, BPF_REG_2);
	raw_jump_later(e, out, code_add(&e->code, (uint8_t)(BPF_JMP | (sense ? BPF_JNE : BPF_JEQ) | BPF_K), BPF_REG_2, 0, 0, 0));
}

/* Jumps where the condition is `sense`, else goes on. */
static void jump_where(struct raw_emitter *e, term t, bool sense, struct raw_jumps *out)
{
	const struct term_node *n = node_of(e, t);
	struct raw_jumps past = {0};
	if (n->op == TERM_NOT) {
		jump_where(e, n->a, !sense, out);
	} else if (n->op != TERM_AND) {
		raw_jump_later(e, out, expr_branch(&e->expr, t, sense));
	} else if (!apart(e, n->a, n->b)) {
		jump_by_number(e, t, sense, out);
	} else {
		jump_where(e, n->a, false, sense ? &past : out);
		jump_where(e, n->b, sense, out);
		raw_land(e, &past);
	}
}

int raw_condition(struct raw_emitter *e, const struct step *s, bool sense, struct raw_jumps *out)
{
	e->epoch++;
	if (node_of(e, s->condition)->height > HEIGHT_MAX || count(e, s->condition) > COMPARISONS_MAX) {
		diag_add(e->d, DIAG_ERROR, s->at, "ask for ranges, or look numbers up in an array",
		         "this condition is out of proportion: more than %d comparisons", COMPARISONS_MAX);
		return -1;
	}
	jump_where(e, s->condition, sense, out);
	return 0;
}
