/*
 * emit.h - a raw program being emitted: what the files emit*.c share, each above those before it:
 * emit_check.c says what the kernel would refuse, emit_layout.c gives the stack's places,
 * emit_condition.c jumps, emit_step.c does a step, emit.c goes over all.
 *
 * Registers: r6 has the context, r7 and r8 what a helper told (compiler/bpf/internal.h), r9 what is
 * added or stored while a key is built; all others are for computing.
 * The stack, from the frame pointer down: what helpers told, values, the step's own area, values of
 * an expression that registers do not hold; at its bottom what the verdict asks for.
 */
#ifndef DEVGUARD_COMPILER_RAW_EMIT_H
#define DEVGUARD_COMPILER_RAW_EMIT_H

#include "compiler/bpf/internal.h"

enum { REG_OPERAND = BPF_REG_9, STACK_BYTES = 512 };

/* ---- emit_layout.c ------------------------------------------------------------------- */

/* A place that becomes 0 before an IF, since a value of a step in it is read behind it. */
struct raw_zero { const struct step *before; int slot; };

struct raw_layout {
	int *slots;      /* by value: from the frame pointer, 0: it has none */
	int low, high;   /* a step's own area: two parts, of its key and of the rest */
	int spill, spill_slots;
	const struct raw_zero *zeros;
	size_t nzeros;
};

/* 0, or -1 with a diagnostic at the step where the stack is too small. */
int raw_layout(struct arena *a, const struct policy *p, struct diags *d, struct raw_layout *out);
/* The first of the zeros before an IF, which follow each other; nzeros: there are none. */
size_t raw_first_zero(const struct raw_layout *l, const struct step *before);

/* ---- emit_check.c -------------------------------------------------------------------- */

/* Is there something that the kernel would refuse, or that makes no sense? 0, or -1 with a diagnostic. */
int raw_check(const struct policy *p, struct diags *d);

/* ---- emit_condition.c ---------------------------------------------------------------- */

/* Jumps to one place further on, and the homes that are filled on all of them. */
struct raw_jumps {
	uint32_t *at;
	size_t n, cap;
	uint32_t have;
};

struct raw_emitter {
	const struct policy *policy;
	const struct raw *raw;
	struct diags *d;
	struct code code;
	struct expr expr;
	struct raw_layout layout;
	uint32_t lost; /* the map that counts what found no place */
	uint32_t *stamp, epoch; /* scratch of conditions, by term */
};

void raw_jump_later(struct raw_emitter *e, struct raw_jumps *j, size_t at);
void raw_land(struct raw_emitter *e, struct raw_jumps *j);
/* Emits an IF's condition: jumps where it is `sense`, else goes on. 0, or -1 with a diagnostic. */
int raw_condition(struct raw_emitter *e, const struct step *s, bool sense, struct raw_jumps *out);

/* ---- emit_step.c --------------------------------------------------------------------- */

/* Emits a step that is no IF. */
void raw_step(struct raw_emitter *e, const struct step *s);

#endif
