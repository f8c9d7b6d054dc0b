/*
 * state.h - a path through a block: what is assumed on it, and what registers, arrays, hashes
 * and objects hold there.
 */
#ifndef DEVGUARD_COMPILER_LIFT_STATE_H
#define DEVGUARD_COMPILER_LIFT_STATE_H

#include "compiler/lift/value.h"

/* What is assumed on a path: a list of literals. */
struct guard {
	struct guard *up;
	term literal;
	term full;     /* conjunction with all above */
	struct guard *jump; /* an ancestor far above: common ancestors in O(log depth) */
	unsigned depth;
	/* conjunction of the literals up to `since`, once a merge has asked for it */
	const struct guard *since;
	term relative;
};

/* Registers of all frames and contents of arrays, copied on write. */
struct state {
	struct guard *guard;
	uint64_t owner;
	struct cells *root;
	uint32_t top;     /* first free register */
	uint32_t escaped; /* how often a closure was kept where its maker may not see it */
	uint32_t pc;
	struct val result;
	struct trail *trail; /* of a raw program: what it did so far */
	struct state *next; /* in a frame's list of pending states, ascending pc */
};

/* ---- path.c ----------------------------------------------------------------------------- */

struct guard *path_new(struct lifter *l);
/* Remembers that a condition implies another, whatever the path: that of a case, that
 * there is a case. A conjunction of the two is then found without a look into a long disjunction. */
void path_implies(struct lifter *l, term a, term b);
/* path and condition, by what is remembered where it says so. */
term path_and(struct lifter *l, term path, term condition);
/* Adds a literal to the path; false: the path is impossible. */
bool path_assume(struct lifter *l, struct state *st, term literal);
/* Does the path exclude this? Looks at its latest literals only. */
bool path_excludes(struct lifter *l, const struct state *st, term condition);
/* Where two paths parted; the conjunction of what one assumed since. */
struct guard *path_parting(struct guard *a, struct guard *b);
term path_since(struct lifter *l, struct guard *g, const struct guard *ancestor);
/* Is a condition true of any request? */
bool path_possible(struct lifter *l, term condition);

/* ---- choice.c: values that are one of several --------------------------------------------- */

struct val val_bool(struct lifter *l, term cond);
struct val val_choice2(struct lifter *l, term ga, struct val a, term gb, struct val b);
/* The arms a value can have here: disjoint, impossible and equal ones gone. A
 * value that is no choice is one arm with guard T_TRUE. */
size_t val_arms(struct lifter *l, const struct state *st, struct val v, const struct arm **arms);
bool val_has_closure(struct lifter *l, struct val v);
/* A value from arms. */
struct val val_from_arms(struct lifter *l, const struct arm *arms, size_t n);
/* The arms with all Integers in one, which chooses; their number. */
size_t val_join_integers(struct lifter *l, const struct arm **arms, size_t n);
/* Unwraps a choice of one arm. */
struct val val_settle(struct lifter *l, const struct state *st, struct val v);
term val_truth(struct lifter *l, const struct state *st, struct val v);

/* ---- state.c ---------------------------------------------------------------------------- */

struct state *state_new(struct lifter *l);
struct val state_get(const struct state *st, uint32_t cell);
void state_set(struct lifter *l, struct state *st, uint32_t cell, struct val v);
struct state *state_fork(struct lifter *l, struct state *st);
/* Merges b into a (either may be NULL); both are used up. */
struct state *state_merge(struct lifter *l, struct state *a, struct state *b);
/* Can the two be merged? Of a raw program, only where it was known what parted them before either learned more. */
bool state_joins(struct lifter *l, const struct state *a, const struct state *b);
/* Merges those of n states that can be, the ones that parted last first; how many are left. */
size_t states_merge(struct lifter *l, struct state **list, size_t n);
/* Frees the registers from `top` on, when no closure that needs them can be left:
 * none escaped since `escaped` was read. */
void state_truncate(struct lifter *l, struct state *st, uint32_t top, uint32_t escaped);
/* Takes n registers more; returns the end of them. */
uint32_t state_reserve(struct lifter *l, struct state *st, uint32_t n);
/* A cell for an array: one no other array has, on any path. */
uint32_t state_new_cell(struct lifter *l);
/* Notes that v is kept beyond the frame that made it, should it be a closure. */
void state_keeps(struct lifter *l, struct state *st, struct val v);

/* ---- contents.c: what arrays and hashes hold ------------------------------------------------ */

/* A fresh array. */
struct val val_array(struct lifter *l, struct state *st, const struct val *items, size_t n);
/* The items of an array (made in the block, or static). False: not one, or its
 * length depends on the path. */
bool val_items(struct lifter *l, const struct state *st, struct val v, const struct val **items, size_t *n);
/* The same when it is one of several arrays, all of one length: items are choices. */
bool val_spread(struct lifter *l, const struct state *st, struct val v, const struct val **items, size_t *n);
/* A fresh hash; keys and values by turns, no two keys equal. */
struct val val_hash(struct lifter *l, struct state *st, const struct val *pairs, size_t n);
/* The keys and values of a hash, by turns; n counts both. As val_items(). */
bool val_pairs(struct lifter *l, const struct state *st, struct val v, const struct val **pairs, size_t *n);
/* Gives an array or hash of the block other contents. */
void val_set_items(struct lifter *l, struct state *st, struct val v, const struct val *items, size_t n);
/* Refuses to change a frozen array, hash or object: mruby raises. */
void lift_refuse_frozen(struct lifter *l, const struct state *st, uint32_t cell);
/* The Ruby value of what is known now, also of an array made in the block. */
bool val_known(struct lifter *l, const struct state *st, struct val v, mrb_value *out);

#endif
