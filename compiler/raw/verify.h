/*
 * verify.h - what is known while a raw program is read back: prover_term.c has terms and bytes, prover_state.c what
 * holds at an instruction, prover_value.c follows instructions that compute, load and store, prover_call.c functions of
 * the kernel, each of which must be what the next step does, prover_check.c looks at the steps alone, verify.c
 * goes over the instructions.
 */
#ifndef DEVGUARD_COMPILER_RAW_VERIFY_H
#define DEVGUARD_COMPILER_RAW_VERIFY_H

#include "compiler/bpf/internal.h"
#include "compiler/raw/world.h"

enum { STACK_SIZE = 512, LITERALS_MAX = 40 };

enum kind {
	V_NONE,    /* nothing is known */
	V_TERM,    /* term a */
	V_PAIR,    /* term b << 32 | term a: both below 2^32 */
	V_NANOS,   /* time since boot; of interest in seconds */
	V_CTX,     /* the context's address */
	V_STACK,   /* frame pointer + n */
	V_PARAM,   /* address of parameter a */
	V_MAP,     /* map a */
	V_ENTRY,   /* address of the value of an entry that place a looked up; b: it may be NULL */
	V_ANSWER,  /* of a function: 0, or there was no place; of place a */
};
struct value {
	enum kind kind;
	uint32_t a, b;
	int64_t n;
};

/* A byte of the stack. */
struct cell {
	enum { CELL_NONE, CELL_CONST, CELL_BYTE } kind : 8; /* CELL_BYTE: byte k of term t */
	uint8_t k;
	term t;
};

/* How far the step at a place is done. */
enum phase {
	PHASE_NEW,
	PHASE_LOOKED,   /* an addition: it looked for the entry, */
	PHASE_ABSENT,   /* there is none: */
	PHASE_PUT,      /* it put 0 in, */
	PHASE_AGAIN,    /* and looked again */
	PHASE_PRESENT,  /* the entry is there: what is left is to add */
	PHASE_ANSWERED, /* was there a place? */
	PHASE_LOST,     /* there was no place: that is to be counted; */
	PHASE_COUNT,    /* it looked where, */
	PHASE_COUNTING, /* and found it */
};

/* early: it is 0 because no step made it yet. */
struct known { bool is, early; int64_t k; };

struct state {
	uint32_t place; /* of the next step, PLACE_END: all are done */
	enum phase phase;
	term condition; /* of a place with STEP_IF, what is left of it by what is known */
	struct value reg[11];
	struct cell stack[STACK_SIZE];
	term literals[LITERALS_MAX]; /* they hold */
	size_t nliterals;
	struct state *next; /* at the same instruction; of those to be used again */
	struct known known[]; /* by value of the program. One that no step made is 0 */
};

enum { NO_VALUE = UINT32_MAX };
struct prover {
	const struct policy *policy;
	const struct raw *raw;
	struct terms *terms;
	struct arena *arena;
	struct diags *d;
	const struct image *image;
	const struct bpf_insn *insns;
	size_t n;              /* instructions that do the steps */
	size_t pc;
	size_t line;           /* of the image's lines, the first one beyond pc */
	struct raw_places places;
	int lost;              /* map that counts what did not fit, -1 */
	uint32_t *target;      /* by instruction: of its relocation, UINT32_MAX: it has none */
	bool *leader;          /* by instruction: a jump goes there */
	struct state **at;     /* by instruction: what may hold before it */
	struct state *spare;
	uint32_t *partner;     /* by value: that is 0 when this one is (found, value), NO_VALUE */
	uint32_t *field;       /* by value: the first one that is the same bytes of the context; itself */
	size_t work;           /* what may still be done */
	enum { SEE_ALL, SEE_EARLY } by; /* what a term is seen by: all, or those values alone that no step made yet */
	term *mapped;          /* scratch of prover_term.c, by term */
	uint32_t *stamp, epoch;
	size_t mapped_cap;
	term *todo;
	size_t todo_cap;
	bool failed;
};

/* ---- prover_term.c: terms and bytes -------------------------------------------------------------------- */

/* Says why a program cannot be proven, at the step of the state. Always false. */
bool prover_refuse(struct prover *v, const struct state *st, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
struct value prover_of_term(term t);
bool prover_const(const struct prover *v, const struct value *x, int64_t *out);
/* An operation on terms, simpler where several instructions are one operation. */
term prover_op(struct prover *v, enum term_op op, term a, term b);
/* A term by what is known in a state. */
term prover_canon(struct prover *v, const struct state *st, term t);
/* What a term can be by the literals about it. */
void prover_range(const struct prover *v, const struct state *st, term t, int64_t *lo, int64_t *hi);
bool prover_same(struct prover *v, const struct state *st, term x, term y);
/* The low bytes of a term, as a number. */
term prover_low(struct prover *v, term t, unsigned size);
struct cell prover_byte(const struct prover *v, term t, unsigned k);
/* Is a byte of the stack byte k of a term? */
bool prover_cell_is(struct prover *v, const struct state *st, const struct cell *c, term t, unsigned k);
/* The condition of which a term is the number, 0 or 1. */
bool prover_flag(const struct prover *v, term t, term *condition);
/* The number of the term of a program's value. */
term prover_value(struct prover *v, uint32_t number);

/* ---- prover_state.c: what holds at an instruction -------------------------------------------------------- */

struct state *prover_new_state(struct prover *v);
void prover_free_state(struct prover *v, struct state *st);
struct state *prover_copy(struct prover *v, const struct state *st);
/* A condition holds from here on; it may decide the IF that is next. An IF that is decided by what is known is entered
 * where it must be (prover_settle()), not before: where ways meet that know different things, all are still before it. False: it cannot hold. */
bool prover_assume(struct prover *v, struct state *st, term condition);
void prover_know(struct prover *v, struct state *st, uint32_t value, int64_t k);
/* The step is done. */
void prover_advance(struct prover *v, struct state *st);
/* Enters each IF that is decided. */
void prover_settle(struct prover *v, struct state *st);
/* Brings a state to an instruction; it is the prover's. */
void prover_send(struct prover *v, struct state *st, size_t pc);
const struct step *prover_step(const struct prover *v, const struct state *st);

/* ---- prover_value.c: what instructions compute, load and store -------------------------------------------- */

bool prover_alu(struct prover *v, struct state *st, const struct bpf_insn *in);
/* What takes several instructions. False: it is none of that, or not with these values. */
bool prover_template(struct prover *v, struct state *st, size_t *len);
bool prover_load(struct prover *v, struct state *st, const struct bpf_insn *in);
bool prover_store(struct prover *v, struct state *st, const struct bpf_insn *in);
bool prover_wide_constant(struct prover *v, struct state *st);

/* ---- prover_call.c: functions of the kernel ---------------------------------------------------------------- */

bool prover_call(struct prover *v, struct state *st, const struct bpf_insn *in);
/* The atomic addition of a step. */
bool prover_add(struct prover *v, struct state *st, const struct bpf_insn *in);

/* ---- prover_check.c: the steps alone ------------------------------------------------------------------------ */

/* Do the steps say something that instructions can do? Fills what the prover knows of values. */
bool prover_check(struct prover *v);

#endif
