/*
 * emit_condition.c - the condition of an IF as jumps.
 *
 * A comparison is asked only where those before it do not decide. A condition in which the same part
 * stands in many places is computed as a number instead, each part once.
 */
#include "compiler/raw/emit.h"

enum { COMPARISONS_MAX = 4096, HEIGHT_MAX = 20000, OFTEN = 2 };

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

/* Comparisons below a condition, once for each place they stand in; *once: each once. */
static uint32_t count(struct raw_emitter *e, term t, uint32_t *once)
{
	const struct term_node *n = node_of(e, t);
	if (n->op == TERM_NOT)
		return count(e, n->a, once);
	if (e->stamp[t] == e->epoch)
		return e->ways[t];
	uint32_t ways = 1;
	if (n->op == TERM_AND)
		ways = count(e, n->a, once) + count(e, n->b, once);
	else
		++*once;
	e->stamp[t] = e->epoch;
	return e->ways[t] = ways < UINT32_MAX / 4 ? ways : UINT32_MAX / 4;
}

/* ---- jumps ----------------------------------------------------------------------------------- */

/* Jumps where the condition is `sense`, else goes on. */
static void jump_where(struct raw_emitter *e, term t, bool sense, struct raw_jumps *out)
{
	const struct term_node *n = node_of(e, t);
	struct raw_jumps past = {0};
	switch (n->op) {
	case TERM_NOT:
		jump_where(e, n->a, !sense, out);
		return;
	case TERM_AND:
		jump_where(e, n->a, false, sense ? &past : out);
		jump_where(e, n->b, sense, out);
		raw_land(e, &past);
		return;
	default: raw_jump_later(e, out, expr_branch(&e->expr, t, sense));
	}
}

int raw_condition(struct raw_emitter *e, const struct step *s, bool sense, struct raw_jumps *out)
{
	const struct term_node *n = node_of(e, s->condition);
	uint32_t once = 0, all = n->height > HEIGHT_MAX ? UINT32_MAX : (e->epoch++, count(e, s->condition, &once));
	if (n->height > HEIGHT_MAX || once > COMPARISONS_MAX) {
		diag_add(e->d, DIAG_ERROR, s->at, "ask for ranges, or look numbers up in an array",
		         "this condition is out of proportion: more than %d comparisons", COMPARISONS_MAX);
		return -1;
	}
	if (all <= OFTEN * once) {
		jump_where(e, s->condition, sense, out);
		return 0;
	}
	expr_value(&e->expr, s->condition, BPF_REG_2);
	raw_jump_later(e, out, code_add(&e->code, (uint8_t)(BPF_JMP | (sense ? BPF_JNE : BPF_JEQ) | BPF_K), BPF_REG_2, 0, 0, 0));
	return 0;
}
