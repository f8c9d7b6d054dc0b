/* term_internal.h - what the files of terms share: term.c and term_logic.c make them,
 * term_range.c bounds them, term_walk.c goes over what is below one. */
#ifndef DEVGUARD_POLICY_TERM_INTERNAL_H
#define DEVGUARD_POLICY_TERM_INTERNAL_H

#include "policy/arena.h"
#include "policy/diagram.h"

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
	term *table; /* open addressing; 0 is empty: FALSE is never looked up */
	size_t table_size;
	int64_t range_lo[INPUT_MAX], range_hi[INPUT_MAX];
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

/* term_range.c */
/* A sound range of a total operation of operands with these; all of 64 bits when it may wrap. */
struct term_range term_op_range(enum term_op op, struct term_range a, struct term_range b);
/* As term_range_given(), looking at t and its operands only. */
struct term_range term_range_near(const struct terms *ts, term given, term t);

/* term.c */
/* The one term with these operands. */
term term_intern(struct terms *ts, const struct term_node *key);

/* term_logic.c */
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

/* term_walk.c */
/* What is below root and root itself, operands first; until the next call. */
size_t term_list(struct terms *ts, term root, const struct term_step **steps);
static inline bool term_has_operands(enum term_op op)
{
	return op != TERM_FALSE && op != TERM_TRUE && op != TERM_CONST && op != TERM_INPUT;
}

#endif
