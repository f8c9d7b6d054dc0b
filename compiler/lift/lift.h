/*
 * lift.h - symbolic evaluation of mruby bytecode, as ruby/ asks for it.
 */
#ifndef DEVGUARD_COMPILER_LIFT_LIFT_H
#define DEVGUARD_COMPILER_LIFT_LIFT_H

#include "compiler/ruby/said.h"

struct lifter;

/* What the blocks of a policy have in common. */
struct lifting {
	struct interpreter *rb;
	struct said *said;
	struct methods *methods;     /* table.c: C functions that are known */
	struct diagrams *guards;     /* path.c: to ask whether a path is possible */
	const struct lifter *lifter; /* at work now, or NULL */
};

/* ---- lift.c, refuse.c -------------------------------------------------------------- */

/* Learns what the methods of the interpreter are: after the last was replaced. */
struct lifting *lifting_new(struct interpreter *rb, struct said *said);
/* Sets match and raises of a rule from its block. 0, or -1 with a diagnostic. */
int lift_block(struct lifting *all, struct rule *r, const struct block *block);
/* Where the block is that is lifted now. */
struct span lift_place(const struct lifter *l);

/* ---- program.c --------------------------------------------------------------------- */

/* Sets steps, values and result of a raw program from its method; maps are those that were said. 0, or -1 with a
 * diagnostic. */
int lift_program(struct lifting *all, struct raw *raw, struct RProc *method);

#endif
