/*
 * run.h - code being evaluated: frames, their instructions, and the calls these make.
 */
#ifndef DEVGUARD_COMPILER_LIFT_RUN_H
#define DEVGUARD_COMPILER_LIFT_RUN_H

#include "compiler/lift/methods.h"

/* One frame. */
struct run {
	struct lifter *l;
	struct frame *fr;
	struct state *pending; /* ascending pc */
	struct flow out;
	struct state **returned; /* of a raw program: merged at the end, the latest first */
	size_t nreturned, returned_cap;
};

/* ---- lint.c: warns of comparisons that are true of no request --------------------------------- */

/* Of a == b, and of the call of another method that compares. */
void lint_equal(struct lifter *l, const struct state *st, struct val a, struct val b);
void lint_send(struct lifter *l, const struct state *st, const struct call *c);

/* ---- names.c ------------------------------------------------------------------------------- */

struct closure *closure_of_proc(struct lifter *l, const struct RProc *p);
/* Registers of the frame. */
struct val run_get(struct run *r, struct state *st, uint32_t reg);
/* One that is handed on, and not looked at. */
struct val run_passed(struct run *r, struct state *st, uint32_t reg);
void run_set(struct run *r, struct state *st, uint32_t reg, struct val v);
/* Instructions that read and write variables, or make a closure of them. False: not one of them. */
bool run_variable(struct run *r, struct state *st, const struct insn *in);
/* Constants: of a module, and by the lexical surroundings. */
struct lookup { mrb_value in; mrb_sym name; };
struct flow run_const_in(struct run *r, struct state *st, struct lookup k);
struct flow run_constant(struct run *r, struct state *st, mrb_sym name);
/* The block given to the method: `yield`. */
struct flow run_given_block(struct run *r, struct state *st, uint32_t spec);

/* ---- literals.c ----------------------------------------------------------------------------- */

/* Instructions that load a value written in the code; that build strings, arrays and
 * hashes, or take them apart. False: not one of them. */
bool run_literal(struct run *r, struct state *st, const struct insn *in);
bool run_collection(struct run *r, struct state *st, const struct insn *in);
struct flow run_make_range(struct run *r, struct state *st, const struct insn *in, bool exclusive);
/* Registers from `first` on. */
struct val *run_registers(struct run *r, struct state *st, uint32_t first, uint32_t n);
/* What `*v` stands for, as arguments; spread over variables. */
void run_splat(struct run *r, struct state *st, struct val v, const struct val **items, size_t *n);
void run_spread(struct run *r, struct state *st, const struct val *v, const struct val **items, size_t *n);
/* Pairs from registers on, one after the other: a key given twice keeps its last value. */
void run_add_pairs(struct run *r, struct state *st, struct val hash, uint32_t first, uint32_t n);

/* ---- args.c: the arguments as a method takes them ------------------------------------------- */

/* ENTER; *next: where the code goes on. False: their number is wrong. */
bool run_enter(struct run *r, struct state *st, const struct insn *in, uint32_t *next);
struct flow run_keyword(struct run *r, struct state *st, const struct insn *in);

/* ---- send.c: calls as instructions make them ------------------------------------------------ */

struct flow run_send(struct run *r, struct state *st, const struct insn *in, bool to_self, bool with_block);
/* A call without arguments that an instruction stands for. */
struct flow run_send_to(struct run *r, struct state *st, const char *name, struct val recv);
/* Operators, of values that are no choices. */
struct flow run_arithmetic_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b);
struct flow run_compare_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b);
struct flow run_index_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b);

/* ---- vm.c ----------------------------------------------------------------------------------- */

struct flow lift_frame(struct lifter *l, struct frame *fr, struct state *st);

/* ---- call.c --------------------------------------------------------------------------------- */

struct flow lift_send(struct lifter *l, struct state *st, const struct call *c);
/* Runs Ruby code with the arguments of a call. */
struct flow lift_invoke(struct lifter *l, struct state *st, const struct closure *code, struct val self,
                        const struct call *c);

#endif
