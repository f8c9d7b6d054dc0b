/*
 * internal.h - reading programs: values, states, the decoder. Private to compiler/decode/.
 *
 * A program is executed with the request unknown. A state is what registers and stack hold at an
 * instruction; ways that arrive there with the same state are one. What a state is asked for
 * (a conditional jump) is a diagram, so a program becomes a graph of states, and that graph
 * a diagram.
 */
#ifndef DEVGUARD_COMPILER_DECODE_INTERNAL_H
#define DEVGUARD_COMPILER_DECODE_INTERNAL_H

#include "compiler/decode/decode.h"
#include "compiler/task/task.h"
#include "policy/arena.h"
#include "policy/table.h"

#include <linux/bpf.h>

/* The first word of a request, access << 16 | type, has so few values that what is computed
 * from it is known value by value. */
enum { WORDS = 2 * (ACC_ALL + 1) };
#define WORD_TYPE(i) ((i) % 2 ? DEV_CHAR : DEV_BLOCK)
#define WORD_ACCESS(i) ((i) / 2)

enum value_kind {
	V_NONE,    /* nothing is known of it, and nobody may ask */
	V_CONST,   /* k */
	V_WORD,    /* words[a], by the first word of the request */
	V_TERM,    /* term a: its 64 bits */
	V_PAIR,    /* term b << 32 | term a: both below 2^32 */
	V_NANOS,   /* time since boot; of interest in seconds */
	V_CTX,     /* address of the context, and k */
	V_STACK,   /* address in the stack of frame a: its top, and k (below 0) */
	V_MAP,     /* map a itself, and k */
	V_ENTRY,   /* address in the values of entries of map a that are alike: group b, and k */
	V_FOREIGN, /* an address in other memory: what is there is not known; a: it is not NULL */
	V_UNKNOWN, /* a number that is not understood: k says which, names[a] what it is */
};
struct value {
	uint8_t kind;
	uint32_t a, b;
	int64_t k;
};

/* Bytes of the stack that were written, by the offset from the top of their frame. */
struct piece {
	int16_t at;
	uint8_t size, frame;
	struct value v;
};

/* Who called the function that runs. */
struct caller {
	uint32_t back;          /* the instruction behind the call */
	struct value saved[4];  /* r6 to r9 */
	const struct caller *up;
	uint32_t depth;         /* 1: called by the program itself */
};
enum { DEPTH_MAX = 8, REGISTERS = 12 };
/* r10 is an address, and has no place. r11 is the kernel's own: with net.core.bpf_jit_harden it shows each
 * constant as `r11 = A; r11 ^= B`, and the instruction with r11. */
static inline bool is_register(unsigned reg)
{
	return reg < REGISTERS && reg != BPF_REG_10;
}

struct state {
	struct value reg[REGISTERS];
	struct piece *pieces; /* ascending by frame and offset; never changed in place */
	size_t npieces;
	const struct caller *up; /* NULL: the program itself */
	int64_t retval;          /* of bpf_set_retval() */
	bool sets;               /* it was called */
	uint8_t splits;          /* how often registers were split by word at this instruction */
};

enum { NO_STEP = UINT32_MAX };
/* A state at an instruction, and where it goes. */
struct step {
	uint32_t pc;
	uint16_t mask;       /* the words with which one gets here */
	struct state *state; /* freed when it was executed */
	node cond;           /* of going to yes */
	uint32_t yes, no;    /* steps; NO_STEP with `end` */
	node end;
};

/* Entries of a map with the same value. */
struct group { const uint8_t *bytes; uint32_t *entries; size_t n, cap; };

struct decoder {
	struct arena *arena;      /* scratch */
	struct arena *keep;       /* of names that inputs get */
	struct terms *terms;
	struct diagrams *dg;
	const struct dump *dump;
	const struct bpf_insn *insns;
	size_t n;
	const char *why;          /* it cannot be read */

	uint16_t *live;           /* by instruction: registers that are read from there on */
	bool *leader;             /* ways meet at this instruction */
	bool jumps_back;          /* an instruction does */
	uint32_t *rank, *by_rank; /* instructions in the order in which they are executed, and back */
	size_t stack_end;         /* from this place in the order on nobody reads the stack */

	int64_t (*words)[WORDS];
	size_t nwords, words_cap;

	struct step *steps;
	size_t nsteps, steps_cap;
	struct table known;       /* of steps that wait, by pc and state */
	uint32_t *heap;           /* steps that wait, the next one first */
	size_t nheap, heap_cap;
	uint32_t *order;          /* steps as they were executed: each leads to later ones */
	size_t norder, order_cap;
	size_t executed;          /* instructions */

	struct group **groups;    /* by map, NULL: not made yet */
	size_t *ngroups;
	uint32_t *group_of_first; /* by map: of its first entry */
	int64_t array_base;       /* where the kernel keeps the elements of an array; 0: not known */
	bool *written;            /* by map: the program writes to it */

	struct reader_code *codes; /* of all functions that read the calling task, when they are looked for */
	uint32_t features;        /* with which the program was loaded */
	struct task_reader *readers; /* functions of the program that were looked at */
	size_t nreaders, readers_cap;
	bool nameless;            /* it compares with files whose names are not known */
	bool untold;              /* one of them never tells anything */

	const char **names;       /* of unknown values */
	size_t nnames, names_cap;
	size_t first_unknown, unknown;
	bool too_many;            /* it failed by how many there are */
	bool skips;               /* functions of its own are not read: what each returns is not known */
	int64_t unknown_k[INPUT_MAX - IN_PARAM_0]; /* those that are inputs */
};

/* Says why a program cannot be read. Always false. */
bool decoder_fail(struct decoder *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- value.c ----------------------------------------------------------------------------- */

struct value value_const(int64_t k);
struct value value_term(struct decoder *r, term t);
struct value value_of_words(struct decoder *r, const int64_t of[WORDS]);
/* A number that the instruction at pc of the state makes, the same each time it is looked at.
 * `what` names it, static. */
struct value value_unknown(struct decoder *r, const struct state *st, uint32_t pc, const char *what);
/* The value as a term of 64 bits. False: it is an address, differs by word, or decoder_fail(). */
bool value_as_term(struct decoder *r, const struct value *v, term *out);
bool value_same(const struct value *x, const struct value *y);
/* Is it one number with all words of the mask? */
bool value_settled(const struct decoder *r, const struct value *v, uint16_t mask, int64_t *k);
/* Is it known number by number: a constant, or by word? Is it an address? */
bool value_is_number(const struct value *v);
bool value_is_address(const struct value *v);
/* The low bits of a term, below 64: as they are, or as a signed number. */
term term_low_bits(struct terms *ts, term t, int bits);
term term_signed_bits(struct terms *ts, term t, int bits);
/* Its low `size` bytes (1, 2, 4, 8), as a load has them. */
struct value value_cut(struct decoder *r, const struct value *v, unsigned size);
/* One that differs by word, of several with which a step cannot go on: its words with the first of
 * its numbers. */
uint16_t value_first_words(const struct decoder *r, const struct value *v, uint16_t mask, int64_t *k);

/* ---- scan.c ------------------------------------------------------------------------------------ */

/* Kinds of instructions. */
bool is_jump(const struct bpf_insn *in);
bool is_wide(const struct bpf_insn *in); /* takes two places */
bool is_call(const struct bpf_insn *in);
bool is_exit(const struct bpf_insn *in);
bool is_plain_jump(const struct bpf_insn *in); /* without a condition */
bool is_own_call(const struct bpf_insn *in); /* of a function of the program itself */
bool is_zeroing(const struct bpf_insn *in);  /* `r ^= r`, whatever was in it: the kernel writes 0 so, see is_register() */
/* Where a jump, or a call of an own function, goes. */
int64_t target_of(const struct bpf_insn *in, size_t pc);
/* Does a jump go to where this way has been already? */
bool goes_back(const struct decoder *r, size_t pc);
/* What is known before the program is executed: r->leader, live, stack_end, array_base. */
bool scan_program(struct decoder *r);

/* ---- alu.c ---------------------------------------------------------------------------------- */

/* What an instruction needs before it can be executed: that the register (or -1) is split by word. */
enum { NO_SPLIT = -1 };
/* Arithmetic: a register becomes what the instruction says. */
bool alu_step(struct decoder *r, struct state *st, uint32_t pc, uint16_t mask, int *split);

/* ---- jump.c ----------------------------------------------------------------------------------- */

/* When is it taken? */
struct condition {
	node cond;
	uint16_t yes, no; /* the words with which each is possible */
};
bool jump_condition(struct decoder *r, const struct state *st, uint32_t pc, uint16_t mask, struct condition *out, int *split);
/* Is a number not 0, in its low 32 bits? */
bool not_zero(struct decoder *r, const struct state *st, uint32_t pc, const struct value *v, uint16_t mask, struct condition *out);
/* Of words; of all words that are possible. */
node word_diagram(struct decoder *r, uint16_t mask);

/* ---- stack.c ----------------------------------------------------------------------------------- */

void stack_write(struct decoder *r, struct state *st, uint32_t frame, int64_t at, unsigned size, const struct value *v);
/* `size` bytes as a number; V_NONE: nobody knows. */
struct value stack_read(struct decoder *r, const struct state *st, uint32_t frame, int64_t at, unsigned size);
/* Nothing is known of the stack any more. */
void stack_forget(struct state *st);

/* ---- memory.c ---------------------------------------------------------------------------------- */

bool load_step(struct decoder *r, struct state *st, uint32_t pc);
bool store_step(struct decoder *r, struct state *st, uint32_t pc);
bool wide_step(struct decoder *r, struct state *st, uint32_t pc);

/* ---- lookup.c ---------------------------------------------------------------------------------- */

/* The groups of a known map's entries: ngroups of them. False: too many, or it is not known. */
bool map_groups(struct decoder *r, uint32_t map);
/* How many instructions from here on are a look-up in an array that the kernel has written out; 0: they are none. */
uint32_t array_lookup(const struct decoder *r, uint32_t pc);
/* Behind a call of DUMP_HASH_ELEMENT: where the value is behind the element. False: it does not say so. */
bool behind_element(const struct decoder *r, uint32_t pc, int64_t *behind);
/* The condition that the key of a look-up is of an entry of the group; false: it is not known. */
bool key_condition(struct decoder *r, const struct state *st, uint32_t map, uint32_t group,
                   const struct value *key, node *out);

/* ---- call.c ------------------------------------------------------------------------------------ */

/* The function of the kernel that the instruction calls: BPF_FUNC_* or DUMP_*; and its name, for messages. */
int32_t called_function(const struct decoder *r, uint32_t pc, const char **name);
/* What a function of the kernel does, but for look-ups. */
bool call_step(struct decoder *r, struct state *st, uint32_t pc, int32_t function, const char *name);

/* ---- task.c ------------------------------------------------------------------------------------ */

/* A call of the function at `to`, if it is one that reads the calling task: what it returns is in r0 then. */
bool task_call(struct decoder *r, struct state *st, uint32_t pc, uint32_t to);
/* Does the verdict hang on a file that has no name in r->terms? */
bool files_without_names(struct decoder *r, node verdict);

/* ---- steps.c ------------------------------------------------------------------------------------ */

/* The step of a state at an instruction: a new one, or one that waits. */
uint32_t step_at(struct decoder *r, uint32_t pc, const struct state *st, uint16_t mask);
/* The same of a state at the instruction itself, some registers of which were split by word. */
uint32_t step_split(struct decoder *r, uint32_t pc, const struct state *st, uint16_t mask, uint8_t splits);
/* The next one to be executed, NO_STEP: there is none. It is the last in the order then. */
uint32_t step_next(struct decoder *r);
/* One more condition of a step that is executed: where its no goes. */
uint32_t step_more(struct decoder *r, uint32_t step);
/* All of them as one diagram. */
node steps_diagram(struct decoder *r);

#endif
