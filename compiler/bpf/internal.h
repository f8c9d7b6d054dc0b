/* internal.h - programs: what the files of compiler/bpf/ share, and compiler/object/ reads. */
#ifndef DEVGUARD_COMPILER_BPF_INTERNAL_H
#define DEVGUARD_COMPILER_BPF_INTERNAL_H

#include <linux/bpf.h>
#include <stddef.h>

#include "compiler/compiler.h"
#include "compiler/task/task.h"
#include "policy/raw.h"

/* ---- the shape of emitted programs (emit, verify, simulate) ------------------- */

/* What helpers tell, where the stack keeps it: from the frame pointer down. Uptime is in seconds. */
struct homes {
#define HELPER(id, function, facts, slots, major, minor) uint64_t id[slots];
#include "policy/facts.def"
};
#define HOME(id) (-(int)(offsetof(struct homes, id) + sizeof((struct homes *)NULL)->id))

enum {
	REG_UID_GID = BPF_REG_7,
	REG_PID_TGID = BPF_REG_8,
	REG_CTX = BPF_REG_6, /* where r1 is kept when the program calls helpers */
	HOME_SLOTS = sizeof(struct homes) / 8,
	STACK_SPILL = -8 * (HOME_SLOTS + 1), /* and below: values of an expression that registers do not hold */
	SPILL_SLOTS = 512 / 8 - HOME_SLOTS,
	/* Of a program that reads the calling task: what its readers told, from here upwards; the readers have the rest of
	 * the 512 bytes that a program and what it calls have together (compiler/task/task.h). */
	TASK_BOTTOM = -(512 - READER_STACK),
	TASK_SLOTS = IN_PARAM_0 - IN_EUID,
	TASK_SPILL_SLOTS = (-TASK_BOTTOM) / 8 - TASK_SLOTS - HOME_SLOTS,
};
/* Where one of them is kept. */
#define TASK_HOME(in) (TASK_BOTTOM + 8 * ((int)(in) - (int)IN_EUID))

/* Where the steps of a raw program leave the k-th value that its verdict asks for. */
#define ASKED_HOME(k) (-512 + 8 * (int)(k))
/* How many values that are; they are the inputs behind the parameters. */
static inline size_t policy_asked(const struct policy *p)
{
	return p->raw ? p->raw->nasked : 0;
}

/* The tail of a program is entered with these. */
enum {
	REG_OUTCOME = BPF_REG_7, /* of policy_report() */
	REG_ERROR = BPF_REG_8,   /* errno of the deciding rule, when any rule has one */
};

#define NSEC_PER_SEC 1000000000

/* Offset of a field in struct bpf_cgroup_dev_ctx, and the size of its load. */
int ctx_offset(enum input in);
int ctx_load_size(enum input in);
/* The kernel's number of a function that tells facts. It is called once a path, what it says
 * is kept. */
int helper_number(enum fact_helper helper);

/* ---- code.c: instructions under construction ------------------------------------ */

struct far_jump { uint32_t at, to; };

struct code {
	struct arena *arena;
	struct bpf_insn *insns;
	size_t n, cap;
	struct image_line *lines;
	size_t nlines, lines_cap;
	struct image_reloc *relocs;
	size_t nrelocs, relocs_cap;
	int line;      /* of what is emitted next, */
	uint32_t file; /* and its file: struct image_line */
	struct far_jump *far; /* jumps that do not fit 16 bits */
	size_t nfar, far_cap;
};

size_t code_add(struct code *c, uint8_t op, int dst, int src, int off, int32_t imm);
void code_imm64(struct code *c, int dst, int64_t value);
/* dst = value, by the shortest instruction. */
void code_const(struct code *c, int dst, int64_t value);
/* Makes the jump at `at` go to the next instruction emitted. */
void code_land(struct code *c, size_t at);
/* Gives jumps over more than 32,767 instructions 32-bit ones (Linux 6.6); what is at
 * *tail moves. To be called once, at the end. */
void code_relax(struct code *c, size_t *tail);
/* Where a jump at pc goes. */
size_t code_jump_target(const struct bpf_insn *in, size_t pc);
/* Instructions on the longest path; the program jumps forward only. `more`: by instruction, what a call adds; or NULL. */
unsigned code_longest(struct arena *a, const struct bpf_insn *insns, size_t n, const unsigned *more);

/* ---- readers.c ---------------------------------------------------------------------------- */

/* The relocation of an instruction, NULL: it has none. They ascend. */
const struct image_reloc *image_reloc_at(const struct image *image, size_t pc);
/* The reader that a relocation (or NULL) is of, or READERS. */
enum reader reader_called(const struct image_reloc *r);
/* By instruction: how many are on the longest path of the reader that it calls. */
unsigned *readers_longest(struct arena *a, size_t n, const struct image_reloc *relocs, size_t nrelocs);

/* ---- emit_input.c: inputs ------------------------------------------------------------ */

struct expr {
	struct code *code;
	const struct terms *terms;
	int ctx;       /* register that holds the context */
	uint64_t have; /* set of homes that are filled here: of enum fact_helper, of readers from HAVE_TASK on */
	const struct asked *asked;       /* of the policy */
	struct untold { size_t at; enum input in; } *untold; /* jumps where a reader's fact is not told */
	size_t nuntold, untold_cap;
	size_t nparams; /* inputs behind so many parameters are on the stack: ASKED_HOME() */
	int spill;      /* values that registers do not hold are kept from here on downwards, */
	int spill_slots; /* so many at once */
	const struct raw_value *values; /* of a raw program, */
	const int *slots;               /* and where the stack has them */
	bool too_big;  /* an expression has more values at once than there is place for */
	int too_big_line;
	uint32_t *index; /* scratch of emit_value.c */
	size_t index_cap;
};

enum { HAVE_TASK = 8 };
_Static_assert((int)FACT_HELPERS <= (int)HAVE_TASK && (int)HAVE_TASK + (int)TASK_SLOTS <= 64, "a set of homes has 64 bits");
/* A call of the reader of a fact about the calling task: what it tells is in r0, negative where it tells nothing. */
void emit_reader(struct code *c, const struct asked *as, enum input in);
/* Fetches what is missing of the homes of these inputs. */
void expr_fetch(struct expr *e, input_set inputs);
/* An input's value, or that of a raw program's value, into a register; its helper was called. */
void expr_input(struct expr *e, uint32_t in, int reg);
/* A number in memory, base + offset + the field's own, into a register. */
void expr_field(struct code *c, const struct raw_field *f, int base, int offset, int reg);

/* ---- asm.c ------------------------------------------------------------------------- */

/* The name of a helper that programs of ours call, by the kernel's number, or NULL. */
const char *asm_helper(int helper);

/* ---- emit_value.c: what is computed ------------------------------------------------- */

/* Emits the comparison's operands and a jump taken when it is `sense`; the
 * jump's index, to be landed. */
size_t expr_branch(struct expr *e, term comparison, bool sense);
/* Emits a term's value into a register, of a condition 0 or 1. Uses r0 and r2 to r5. */
void expr_value(struct expr *e, term t, int reg);

/* ---- template.c: floor division, conditions as numbers, choices ---------------------------- */

enum template_kind {
	TEMPLATE_DIVIDE, TEMPLATE_MODULO, TEMPLATE_LESS, TEMPLATE_LESS_WIDE, TEMPLATE_DIFFER, TEMPLATE_CHOOSE,
};
enum { TEMPLATE_MAX = 8 };

/* x = x / y, x % y (as term_op() has them), x < y or x != y; or s = s ? x : y, of which x is lost.
 * y is -1 for a constant, where there may be one. s and t are scratch elsewhere. */
struct template {
	enum template_kind kind;
	int x, y, s, t;
	int32_t imm;
};
/* The instructions; their number. */
size_t template_write(struct bpf_insn out[TEMPLATE_MAX], const struct template *t);
/* Do the next n instructions begin with one? */
bool template_read(const struct bpf_insn *in, size_t n, struct template *t, size_t *len);
/* Is the difference of two values within 64 bits? */
bool terms_differ_within(const struct term_node *a, const struct term_node *b);

/* ---- operate.c: instructions on numbers ------------------------------------------------- */

/* The result of an arithmetic instruction (BPF_ADD to BPF_ARSH) with these operands; 32-bit ones clear the rest. */
uint64_t insn_alu(uint8_t code, uint64_t x, uint64_t y);
/* Is a conditional jump taken? BPF_JA always. */
bool insn_taken(uint8_t code, uint64_t x, uint64_t y);

/* ---- report.c: what follows a decision that is reported ---------------------------- */

/* Emits the tail of a program; see report.c for what it is entered with. */
void emit_tail(struct code *c, const struct policy *p);
/* Bytes of its records. */
size_t report_size(const struct policy *p);

/* ---- attribute.c: policy lines of diagram nodes ------------------------------------- */

/* For every edge of the verdict diagram (by index from edge 0 of its set), the
 * first rule that decides some request through it, 0 for the default only. */
struct attribution {
	uint32_t *rule; /* of edge: attribution_rule */
	uint32_t *base; /* by node: index of its first edge in rule */
};
struct attribution attribute(struct arena *a, const struct policy_diagram *pd);

/* ---- witness.c ------------------------------------------------------------------------- */

/* Names a request on which two different diagrams of a policy differ: what the program (x)
 * and the policy (y) say to it. */
const char *diagram_witness(const struct policy *p, const struct diagrams *dg, node x, node y);

#endif
