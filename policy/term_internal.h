/* term_internal.h - what the files of terms share, each above those before it: term.c keeps
 * them, term_arith.c calculates, term_logic.c joins conditions, term_range.c bounds values,
 * term_fold.c simplifies, term_walk.c goes over what is below one. */
#ifndef DEVGUARD_POLICY_TERM_INTERNAL_H
#define DEVGUARD_POLICY_TERM_INTERNAL_H

#include "policy/arena.h"
#include "policy/asked.h"
#include "policy/table.h"
#include "policy/term.h"

/* One term below a root, its operands by their place in the list (term_list()). */
struct term_step {
	term t;
	uint8_t op;
	bool reached; /* scratch */
	uint32_t a, b, c; /* of an input, a is its number */
	int64_t lo, hi;   /* range; of a constant, its value */
};

struct terms {
	struct arena *arena;
	struct term_node *nodes;
	size_t n, cap;
	struct table table; /* of nodes, but for false and true */
	int64_t range_lo[INPUT_MAX], range_hi[INPUT_MAX];
	const char *param_names[INPUT_MAX - IN_PARAM_0]; /* NULL: not told */
	struct asked asked;
	const char **value_names; /* of a raw program, by number; NULL: not told */
	size_t nvalue_names, value_names_cap;
	/* scratch of term_walk.c: values by term, valid where stamp == epoch */
	int64_t *value;
	uint32_t *stamp, epoch;
	size_t scratch_cap;
	term *stack;
	size_t stack_cap;
	struct term_step *steps; /* of the term listed last */
	size_t nsteps, steps_cap;
	struct term_range *ranges; /* by step */
	size_t ranges_cap;
	term *rewritten;           /* by step */
	size_t rewritten_cap;
};

struct term_range { int64_t lo, hi; };

static inline int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The smallest range with both in it. */
static inline struct term_range range_hull(struct term_range a, struct term_range b)
{
	return (struct term_range){smaller(a.lo, b.lo), larger(a.hi, b.hi)};
}

static inline bool term_has_operands(enum term_op op)
{
	return op != TERM_FALSE && op != TERM_TRUE && op != TERM_CONST && op != TERM_INPUT;
}

/* ---- term.c ---- */

/* The one term with this operation, operands and range; what follows from the operands is set. */
term term_intern(struct terms *ts, const struct term_node *key);
/* Puts the operands of an operation that commutes in their order: a constant second, else the
 * smaller id first. */
void term_order(const struct terms *ts, term *a, term *b);

/* ---- term_arith.c ---- */

/* A sound range of a total operation of operands with these; all of 64 bits when it may wrap. */
struct term_range term_op_range(enum term_op op, struct term_range a, struct term_range b);

/* ---- term_logic.c ---- */

/* Do the values where p holds say something about q? */
enum term_relation { UNRELATED, IMPLIES, EXCLUDES };
enum term_relation term_relate(const struct terms *ts, term p, term q);
/* A comparison of one term with a constant, possibly negated, as the interval of values where
 * it holds (outside: where it does not). False: t is none. */
struct window {
	term of;
	int64_t lo, hi;
	bool outside;
};
bool term_window(const struct terms *ts, term t, struct window *w);

/* ---- term_range.c ---- */

/* As term_range_given(), looking at t and its operands only. */
struct term_range term_range_near(const struct terms *ts, term given, term t);

/* ---- term_walk.c ---- */

/* What is below root and root itself, operands first; until the next call. */
size_t term_list(struct terms *ts, term root, const struct term_step **steps);
/* What a step with operands can be, by the ranges of the steps before it: exact where these are. */
struct term_range term_step_range(const struct term_step *s, const struct term_range *ranges);

#endif
