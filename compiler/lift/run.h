/*
 * run.h - one frame being evaluated: shared by lift/vm.c (what runs),
 * lift/args.c (calls), lift/names.c (variables, constants) and lift/literals.c.
 */
#ifndef DEVGUARD_COMPILER_LIFT_RUN_H
#define DEVGUARD_COMPILER_LIFT_RUN_H

#include "compiler/lift/lift.h"

struct run {
	struct lifter *l;
	struct frame *fr;
	struct state *pending; /* ascending pc */
	struct flow out;
};

/* lift/vm.c: registers of the frame; where a state goes on */
struct val run_get(struct run *r, struct state *st, uint32_t reg);
void run_set(struct run *r, struct state *st, uint32_t reg, struct val v);
void run_wait(struct run *r, struct state *st, uint32_t pc);

/* lift/names.c: variables around the code, blocks */
struct val run_captured(struct run *r, struct state *st, const struct closure *c, uint32_t reg);
void run_set_captured(struct run *r, struct state *st, const struct insn *in);
const struct closure *run_around(struct run *r, uint32_t levels);
struct flow run_given_block(struct run *r, struct state *st, uint32_t spec);
struct val run_make_closure(struct run *r, struct state *st, uint32_t rep, bool strict);

struct lookup { mrb_value in; mrb_sym name; };
/* constants and class variables */
struct flow run_const_in(struct run *r, struct state *st, struct lookup k);
struct flow run_constant(struct run *r, struct state *st, mrb_sym name);
struct val run_class_variable(struct run *r, mrb_sym name);

/* lift/literals.c: arrays, ranges, strings, hashes */
struct val *run_registers(struct run *r, struct state *st, uint32_t first, uint32_t n);
void run_splat(struct run *r, struct state *st, struct val v, const struct val **items, size_t *n);
void run_spread(struct run *r, struct state *st, const struct val *v, const struct val **items, size_t *n);
struct val run_joined(struct run *r, struct state *st, struct val a, struct val b);
struct val run_element(struct run *r, struct state *st, struct val v, uint32_t i);
void run_destructure(struct run *r, struct state *st, const struct insn *in);
struct flow run_make_range(struct run *r, struct state *st, const struct insn *in, bool exclusive);
struct val run_pool_string(struct run *r, uint32_t i);
struct val run_pool_number(struct run *r, uint32_t i);
void run_append_string(struct run *r, struct state *st, const struct insn *in);
void run_add_pairs(struct run *r, struct state *st, struct val hash, uint32_t first, uint32_t n);
void run_add_hash(struct run *r, struct state *st, struct val hash, struct val other);

/* lift/args.c: calls and their arguments */
struct flow run_send(struct run *r, struct state *st, const struct insn *in, bool to_self, bool with_block);
struct flow run_send_to(struct run *r, struct state *st, const char *name, struct val recv, struct val arg);
struct flow run_arithmetic_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b);
struct flow run_compare_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b);
struct flow run_index_pair(struct lifter *l, struct state *st, int op, struct val a, struct val b);
void run_enter(struct run *r, struct state *st, const struct insn *in);
struct flow run_keyword(struct run *r, struct state *st, const struct insn *in);
void __attribute__((noreturn)) run_refuse_form(struct run *r, const char *hint, const char *text);

#endif
