/*
 * flow.h - where control goes from an operation, and the operators.
 */
#ifndef DEVGUARD_COMPILER_LIFT_FLOW_H
#define DEVGUARD_COMPILER_LIFT_FLOW_H

#include "compiler/lift/lifter.h"

/* Ways out of a call other than its normal return. */
struct leave {
	struct leave *next;
	bool is_break;       /* else return out of a block */
	uint32_t frame;      /* id of the frame it ends (return) or continues in (break) */
	struct state *state; /* result is the value */
};

struct flow {
	struct state *ret;   /* all normal returns, merged; NULL: none */
	struct leave *leaves;
};

/* ---- flow.c ------------------------------------------------------------------------------- */

struct flow flow_value(struct state *st, struct val v);
struct flow flow_join(struct lifter *l, struct flow a, struct flow b);
/* Evaluates `op` for every pair of arms of a and b, each on its own path. */
typedef struct flow (*pair_op)(struct lifter *l, struct state *st, int op, struct val a, struct val b);
struct flow lift_pairs(struct lifter *l, struct state *st, pair_op fn, int op, struct val a, struct val b);
/* A region of evaluation that began at a guard; see flow_close(). */
struct region { struct guard *guard; size_t nraised; };
struct region flow_open(const struct lifter *l, const struct state *st);
/* When every path of the region returned normally its guard is what it was. */
struct flow flow_close(struct lifter *l, struct region r, struct flow f);

/* ---- ops.c: arithmetic on values that are no choices ---------------------------------------- */

struct flow lift_binary(struct lifter *l, struct state *st, enum term_op op, struct val a, struct val b);
struct flow lift_negate(struct lifter *l, struct state *st, struct val a);

/* ---- compare.c ------------------------------------------------------------------------------ */

enum compare_op { OP2_EQ, OP2_LT, OP2_LE, OP2_GT, OP2_GE, OP2_CMP };
struct flow lift_compare(struct lifter *l, struct state *st, enum compare_op op, struct val a, struct val b);
/* Does a equal b as == (or eql?) of Integer, comm, and arrays of them says? */
term lift_equal(struct lifter *l, const struct state *st, struct val a, struct val b, bool eql);
/* comm holds these bytes at an offset, and ends there when `whole`. */
term comm_matches(struct lifter *l, size_t at, const char *bytes, size_t n, bool whole);

#endif
