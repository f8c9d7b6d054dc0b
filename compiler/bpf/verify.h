/* verify.h - what is known while a program is read back: verify_value.c follows instructions that
 * compute, verify.c those that jump. */
#ifndef DEVGUARD_COMPILER_BPF_VERIFY_H
#define DEVGUARD_COMPILER_BPF_VERIFY_H

#include "compiler/bpf/internal.h"

enum kind {
	V_UNKNOWN,
	V_CTX,     /* the context's address */
	V_STACK,   /* frame pointer + n */
	V_PARAM,   /* address of parameter n */
	V_RAW,     /* input n as the kernel gives it */
	V_TERM,    /* term n */
	V_FLAG,    /* 0 or 1: is condition n true */
	V_RESULT,  /* what helper n returned */
	V_READ,    /* what the reader of input n returned: its value, or negative where it is not told */
};

struct value {
	enum kind kind;
	int64_t n;
};

/* The stack slots of an expression: nothing is kept there over a jump. */
struct spills {
	struct value slot[SPILL_SLOTS];
	bool used;
};

struct state {
	struct value reg[11];
	struct value slot[HOME_SLOTS];
	struct value task[TASK_SLOTS]; /* TASK_HOME() */
	struct state *free; /* in the list of those to be used again */
};

struct verifier {
	const struct policy *policy;
	struct arena *arena; /* of the proof alone */
	struct diagrams *dg;
	const struct bpf_insn *insns;
	size_t n;
	const struct image *image;
	size_t line; /* of its lines, the first one beyond where the proof is */
	size_t next_reloc;
	struct state now;
	struct spills spills;
	bool live;              /* does control reach here from the instruction before? */
	struct state **pending; /* by instruction: the state jumps bring, or NULL */
	struct state *spare;
	uint32_t *reach;        /* by jump: where to, 0 for the tail */
	node *cond;             /* by conditional jump: when it is taken */
	const char *why;        /* what was not understood */
	bool has_errno;         /* of the policy, */
	bool reads_task;
};

/* verify_value.c: each says whether it understood, else v->why says what not. */
bool verify_refuse(struct verifier *v, const char *why);
struct value verify_of_term(term t);
bool verify_same_value(const struct value *x, const struct value *y);
/* A value as a term, or as a constant. */
bool verify_term(struct verifier *v, const struct value *x, term *out);
bool verify_const(struct verifier *v, const struct value *x, int64_t *out);
/* Nothing is kept in the slots of an expression over a jump. */
void verify_forget_spills(struct verifier *v);
bool verify_alu(struct verifier *v, const struct bpf_insn *in);
bool verify_load(struct verifier *v, const struct bpf_insn *in);
bool verify_clear(struct verifier *v, const struct bpf_insn *in);
bool verify_store(struct verifier *v, const struct bpf_insn *in);
bool verify_call(struct verifier *v, size_t pc);
bool verify_wide_constant(struct verifier *v, size_t pc);
/* What takes several instructions. False: it is none of that, or not with these values. */
bool verify_template(struct verifier *v, size_t pc, size_t *len);

#endif
