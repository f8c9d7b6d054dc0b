/*
 * compiler.h - Ruby policies to BPF objects, and back.
 *
 *   ruby/       runs the policy file once in mruby; collects rules and blocks
 *   lift/       evaluates each block's bytecode symbolically into terms
 *   compile.c   rules to a diagram, a program, a proof
 *   raw/        the steps of a program that does more than decide to instructions, and their proof
 *   hostprog/   the host program: observers and grants, no policy
 *   bpf/        a diagram to BPF instructions and back; runs them on a request
 *   object/     the ELF object libbpf loads; reading one back
 *
 * Nothing here touches the kernel's BPF or cgroup interfaces.
 */
#ifndef DEVGUARD_COMPILER_COMPILER_H
#define DEVGUARD_COMPILER_COMPILER_H

#include "policy/event.h"
#include "policy/arena.h"
#include "policy/image.h"
#include "policy/rules.h"

/* ---- ruby.c --------------------------------------------------------------- */

/* One `--param K=V`. `used` is set when the policy declares that parameter. */
struct param_setting {
	const char *name;
	int64_t value;
	bool used;
};

/* A policy file run and lifted, with the mruby state that ran it. */
struct ruby;

/* Runs `text` (len bytes, called `file` in messages) as a policy and lifts its
 * blocks. What the names of devices stand for is asked of the host. *out is set as soon as the interpreter exists, so that a signal handler
 * can ask ruby_running_line(). On success *out holds it (free it with ruby_close
 * before the arena) and *policy the rules. A setting of a parameter that the
 * policy does not have is an error. On failure -1, with
 * diagnostics in d; *out is then NULL. */
int ruby_compile(struct arena *a, struct diags *d, const struct host *host, const char *file,
                 const char *text, size_t len, struct param_setting *params, size_t nparams,
                 struct ruby **out, struct policy **policy);
void ruby_close(struct ruby *rb);

/* ---- place.c ------------------------------------------------------------------------ */

/* Where a policy that runs now is: the line of the call it is in, or of the only
 * loop of the file, 0 when that is not certain. *file: 0 the policy itself, n the n-th
 * file it loaded. Async-signal-safe. */
int ruby_running_line(const struct ruby *rb, unsigned *file);

/* ---- reference.c ------------------------------------------------------------------ */

/* What mruby itself answers: each rule's block is yielded a plain ctx object.
 * 0 with *out (raise and error filled in as policy_decide does, raise->what
 * being the exception's text), or -1 with *missing as in policy_decide(). */
int ruby_decide(struct ruby *rb, const struct policy *p, const struct request *r,
                struct decision *out, int *missing);

/* ---- reference_raw.c ---------------------------------------------------------------- */

struct raw_world;
struct raw_log;
/* What mruby itself does with the raw program that was compiled, in a world (compiler/raw/world.h): its method is called
 * with a plain ctx object. A line that it prints is in the log as it is printed, without numbers. 0, or -1 with *why: the
 * text of what it raised. */
int ruby_run_raw(struct ruby *rb, struct raw_world *w, struct raw_log *log, const char **why);

/* ---- bytecode.c ------------------------------------------------------------------- */

/* The bytecode of every rule block, as text. */
void ruby_dump(FILE *out, struct ruby *rb);

/* ---- compile.c ------------------------------------------------------------- */

/* Rules to a proven program, the best found over the variable orders: fewest functions
 * of the kernel, then the shortest longest path, then fewest instructions. *pd is set to
 * the diagrams it was made from, .dg NULL of a program that does not decide. 0, or -1 with a diagnostic. */
int compile_policy(struct policy *p, struct diags *d, struct policy_diagram *pd, struct image *out);

/* Builds a policy's diagrams, by the first order with which its program can be proven,
 * and proves it. 0 with *pd, or -1 with a diagnostic. */
int prove_image(struct policy *p, struct diags *d, struct policy_diagram *pd,
                const struct image *image);

/* What compile_policy() has to choose from, as text: for each order the diagrams and what
 * their program costs. 0, or -1 with a diagnostic. */
int compile_dump_orders(FILE *out, struct policy *p, struct diags *d);

/* ---- emit.c ---------------------------------------------------------------- */

/* A policy's diagrams of one order as a program. *helpers: how many functions of the
 * kernel it may call before it decides. 0, or -1 with a diagnostic. */
int emit_program(const struct policy *p, struct diags *d, const struct policy_diagram *pd,
                 struct image *out, int *helpers);

/* ---- raw/emit.c ------------------------------------------------------------------------ */

/* The steps of a raw program as a program. Of one for devices it ends with the context in r1 and what its verdict asks
 * for on the stack, and the program of the verdict follows; another ends with its result. 0, or -1 with a diagnostic. */
int raw_emit(const struct policy *p, struct diags *d, struct image *out);

/* ---- raw/verify.c ---------------------------------------------------------------------- */

/* Proves that the first image->steps instructions of a raw program for devices do its steps, leave the values that its
 * verdict asks for where the rest of the program looks for them, and the context in r1; of another program, that all
 * of it does the steps and returns the result. 0, or -1 with a diagnostic at the step that differs. */
int raw_verify(const struct policy *p, struct diags *d, const struct image *image);

/* ---- hostprog/emit.c --------------------------------------------------------------------- */

/* The host program (policy/hostprog.h) of these parts (enum hostprog_part), for a kernel with these features (enum
 * hostprog_feature). The target of a relocation is an enum hostprog_map. */
void hostprog_make(struct arena *a, uint32_t parts, uint32_t features, struct image *out);

/* ---- code.c ----------------------------------------------------------------------- */

/* Has the program jumps that only Linux 6.6 and later know? */
bool image_jumps_far(const struct image *image);

/* ---- bpf/readers.c --------------------------------------------------------------------- */

/* The instructions of a program and of the readers that it calls. */
size_t image_instructions(struct arena *a, const struct image *image);

/* ---- needs.c ------------------------------------------------------------------------- */

/* Something of the kernel, and the first Linux that has it. */
struct kernel_need { const char *what; int major, minor; };
#define KERNEL_OLDEST ((struct kernel_need){"", 5, 10})
enum { KERNEL_NEEDS_MAX = FACT_HELPERS + 3 };
/* What a program needs whose policy's rules read these inputs (set of enum input); how many. */
size_t image_needs(const struct policy *p, const struct image *image, input_set reads,
                   struct kernel_need out[KERNEL_NEEDS_MAX]);

/* ---- asm.c ------------------------------------------------------------------------ */

/* bpftool-like text: one instruction a line, policy lines between. */
void emit_asm(FILE *out, const struct policy *p, const struct image *image);

/* ---- verify.c --------------------------------------------------------------- */

/* Proves that the instructions compute pd's verdict for every request, also
 * outside the domain. 0, or -1 with a diagnostic saying what differs: a program
 * that uses anything the emitter does not is refused. */
int verify_image(const struct policy *p, struct diags *d, const struct policy_diagram *pd,
                 const struct image *image);

/* ---- simulate.c ------------------------------------------------------------- */

/* What running a program on a request did. */
struct simulated {
	bool allow;           /* what the rules say: the mode is ignored */
	unsigned steps;       /* instructions executed */
	int error;            /* errno set for a denial, 0: the kernel's */
	bool reported;
	struct event event;   /* when reported; facts not given are 0, */
	struct event_told told; /* or, behind it, not told */
	struct tally_key key; /* what it was counted under */
};
/* Runs the instructions on one request as the kernel would. 0 with *out, -1 with
 * *missing (enum input) when a fact was asked for that the request does not give,
 * or -1 with *missing = -1 and *why when the program is not valid. */
int simulate(const struct policy *p, const struct image *image, const struct request *r,
             struct simulated *out, int *missing, const char **why);

/* ---- object.c ---------------------------------------------------------------- */

struct bytes {
	const unsigned char *data;
	size_t len;
};

/* The ELF object of a policy: sections cgroup/dev, license, .rodata (struct
 * image_header, parameter values, bpf_metadata_*), .BTF, .BTF.ext, .symtab and
 * .devguard (the policy itself, so that an object can be evaluated, checked and
 * explained without its source). The same input gives the same bytes. */
int object_write(const struct policy *p, const struct image *image, struct diags *d,
                 struct bytes *out);

/* Sets a parameter's value in a policy read or compiled; its range is checked.
 * Write the object again to have it loaded. 0, or -1 with a diagnostic. */
int object_set_param(struct policy *p, struct diags *d, struct param_setting *s);

/* ---- object_read.c ---------------------------------------------------------------- */

/* Is this an object (ELF magic)? */
bool object_is(const void *data, size_t len);

/* Reads an object back. Everything read is checked; the bytes are not trusted:
 * the caller proves the image against the policy with verify_image(). `file`
 * names it in messages. 0, or -1 with diagnostics. */
int object_read(struct arena *a, struct diags *d, const char *file, const void *data, size_t len,
                struct policy **policy, struct image *image);

/* ---- serial.c, serial_read.c ------------------------------------------------- */

/* Sets p->serial, what an object keeps of the policy: then object_write() needs no terms.
 * 0, or -1 with a diagnostic. */
int serial_keep(struct policy *p, struct diags *d);
/* The bytes as a policy, its terms built anew, p->serial not set. Nothing in them is
 * trusted. *digest is of everything but the values of the parameters. 0, or -1 with a
 * diagnostic that names `file`. */
int serial_read(struct arena *a, struct diags *d, const char *file, const void *data, size_t len,
                struct policy **out, uint64_t *digest);

/* ---- image.c ------------------------------------------------------------------- */

/* Can this be a program of ours: its lines and addresses are of instructions, it calls
 * only what programs of ours call? NULL, or what is not. Whether it is the policy's
 * program is for verify_image(). */
const char *image_check(struct arena *a, const struct image *image, const struct policy *p);

#endif
