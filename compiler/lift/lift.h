/*
 * lift.h - symbolic evaluation of mruby bytecode: shared by ruby*.c and lift*.c.
 *
 * A block is run once with a ctx whose fields are terms. What the block computes
 * is a `val`: a Ruby value known now, a term, or a choice of values by path.
 */
#ifndef DEVGUARD_COMPILER_LIFT_LIFT_H
#define DEVGUARD_COMPILER_LIFT_LIFT_H

#include "compiler/compiler.h"
#include "compiler/ruby/mruby.h"

/* ---- the interpreter that ran the file (ruby.c) --------------------------------- */

struct block {
	mrb_value proc;
	struct span at;
	int parameters; /* 0 or 1 */
	/* captured variables as they were when the rule was made, to warn of changes */
	mrb_value *captured;
	size_t ncaptured;
};

/* A file of the policy. */
struct source {
	const char *file;  /* as messages call it */
	const char *name;  /* relative to the policy's directory; NULL: the policy itself */
	const char *text;
	size_t len;
	const char *found; /* the line that ruby_source_line() found last */
	int found_line;
	const mrb_irep *irep;      /* of the file's own code: names its variables */
	const struct RProc *proc;
	bool once;         /* by require_relative */
};

struct ruby {
	mrb_state *mrb;
	struct arena *arena;
	struct diags *diags;
	struct policy *policy;
	struct source *source; /* that what is done now is about: ruby_turn_to() */
	struct source **sources; /* the policy, and what it loaded */
	size_t nsources, sources_cap;
	struct line_indexes *lines; /* lines.c */
	struct param_setting *settings;
	size_t nsettings;
	struct RClass *ctx_class;
	const struct lifter *lifter; /* at work now, or NULL */
	mrb_value keep;     /* array of every proc of a rule: alive as long as we are */
	struct block *blocks;
	size_t nblocks, blocks_cap;
	const struct mrb_parser_state *parser; /* at work now, or NULL; it began at that line */
	int parser_begin;
	bool running;       /* the file runs now: rules may be added */
	bool named;
	const struct host *host; /* answers what devices are called here */
	bool differs;       /* refused: it means something else in mruby */
	/* parameters without a range: their value is part of the program */
	struct param *baked;
	size_t nbaked, baked_cap;
	/* reference.c: the request asked about, one access of it */
	const struct request *request;
	int access;
	int missing;
	struct methods *methods; /* lift/methods.c: tables of C functions */
	struct diagrams *guards; /* lift.c: to ask whether a path is possible */
	struct seal *seal;       /* seal.c */
	mrb_value numbers;       /* of objects, by address: what Object#hash says */
	struct { const mrb_irep *irep; uint32_t end; } statement; /* statement.c: read so far */
	bool in_policy;          /* the block of `policy` runs */
	/* code that made a rule */
	const mrb_irep **made;
	size_t nmade, made_cap;
};

struct ruby *ruby_of(mrb_state *mrb);
/* Is this the name of a file of the policy? NULL is none. */
struct source *ruby_source(const struct ruby *rb, const char *file);
/* What is done from now on is about that file of the policy; another name changes nothing. */
void ruby_turn_to(struct ruby *rb, const char *file);
/* Parses, looks through and runs a file: the one in rb->source. 0, or -1 with a
 * diagnostic; what it raises is raised. */
int ruby_run_source(struct ruby *rb);
/* Line of the policy where the interpreter is now, 0 = unknown; turns to its file. */
int ruby_line(mrb_state *mrb);
/* The place of the code at work: as the lifter has it, else the line that `line`, ruby_line() or
 * statement_line(), tells. */
struct span ruby_place(mrb_state *mrb, int (*line)(mrb_state *mrb));
/* Smallest line of an irep and those nested in it; 0 = none. */
int irep_first_line(mrb_state *mrb, const mrb_irep *irep);

/* The name of a symbol: arena text. */
char *ruby_name(struct ruby *rb, mrb_sym name);

/* Text of one line of rb->source (arena), control bytes kept. */
const char *ruby_source_line(struct ruby *rb, int line);

/* "NoMethodError: undefined method ..." of an exception. */
char *ruby_exception_text(struct ruby *rb, mrb_value exc);

/* ---- reference.c ------------------------------------------------------------------ */

/* Defines the class of ctx. */
void reference_define(struct ruby *rb);

/* A method of ctx for a parameter. */
void reference_param(struct ruby *rb, const char *name, size_t index);

/* The input a method of ctx reads as it is, or -1. */
int ctx_input(const struct ruby *rb, const char *method);

/* ---- dsl.c ------------------------------------------------------------------------ */

/* Defines the functions of the policy language. */
void dsl_define(struct ruby *rb);

/* Reports an error at the statement that runs now, and ends the file. */
void dsl_fail(mrb_state *mrb, const char *hint, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/* ---- sources.c: files of a policy ---------------------------------------------------- */

/* Adds a file and turns to it; name: relative to the policy's directory, NULL: the policy. */
void source_add(struct ruby *rb, const char *file, const char *name, const char *text, size_t len);
mrb_value dsl_load(mrb_state *mrb, mrb_value self);
mrb_value dsl_require_relative(mrb_state *mrb, mrb_value self);

/* ---- statement.c ------------------------------------------------------------------- */

/* Line that the statement which runs now begins on, 0 = unknown. */
int statement_line(mrb_state *mrb);
/* The line at or above `line` on which a word stands; `line` when it is on none. */
int statement_word(struct ruby *rb, int line, const char *word);
/* Notes the code that makes a rule now. */
void statement_made(mrb_state *mrb);

/* ---- seal.c -------------------------------------------------------------------------- */

/* Takes out of the library what a policy must not have; before anything is learnt of it. */
void seal_library(struct ruby *rb);
/* From here on the constants of the library stay. */
void seal_constants(struct ruby *rb);
/* What to do instead of defining a method of that name; NULL: it may be defined. */
const char *seal_reserved(const char *name);
#define SEAL_CONSTANT "the library's constant `%s` is assigned anew or taken away"
#define SEAL_CONSTANT_HINT "choose another name"
bool seal_is_constant(const struct ruby *rb, mrb_sym name);
/* Are all as they were? Else the name of one that is not. */
bool seal_constants_kept(struct ruby *rb, const char **name);
/* Is this the code of Class#new, which alone may call `allocate`? */
bool seal_is_new(const struct ruby *rb, const mrb_irep *irep);

/* ---- lost.c: where a rule could vanish without a word -------------------------------- */

/* What ends the file early, or hides part of it, in its text. 0, or -1 with a diagnostic. */
int lost_in_text(struct ruby *rb);
/* Definitions of words of the language, also where they are never reached. */
int lost_to_definitions(struct ruby *rb, const mrb_irep *file);
/* After the file has run: `return` out of it, and code that made no rule. */
int lost_after_run(struct ruby *rb, const mrb_irep *file);

/* ---- lines.c ---------------------------------------------------------------------- */

/* What mrb_debug_get_line() answers, by an index made once: -1 = unknown. */
int irep_line(struct ruby *rb, const mrb_irep *irep, uint32_t pc);
/* Lets go of the ireps; before the interpreter is closed. */
void lines_close(struct ruby *rb);

/* ---- pieces.c --------------------------------------------------------------------- */

struct pieces { struct mrb_parser_state **list; size_t n, cap; };
/* Parses the policy's text as mrb_parse_nstring() does. The result, in which are
 * tree, errors and warnings, belongs to `out`; NULL: mruby gives up. */
struct mrb_parser_state *pieces_parse(struct ruby *rb, mrbc_context *cx, struct pieces *out);
void pieces_free(struct pieces *p);

/* ---- hints.c: what to do about an exception ------------------------------------------ */

#define HINT_REGEXP "use start_with?, end_with? or include?, or compare with =="

/* Each is a sentence, never NULL: for a method that ctx, main (in a block; ctx
 * is what the block calls its parameter there, NULL for a block without one) or
 * a value of a class has not, and a constant that is not there. */
const char *hint_ctx_method(struct ruby *rb, const char *name);
const char *hint_main_method(struct ruby *rb, const char *name, const char *ctx);
const char *hint_value_method(struct ruby *rb, struct RClass *class, const char *name);
const char *hint_constant(struct ruby *rb, mrb_value in, const char *name);
/* What a policy has instead of a method, or NULL. */
const char *hint_method_instead(const char *name);
/* For "ArgumentError: ..." and "TypeError: ..." in a block. */
const char *hint_mistake(const char *text);
/* For "NoMethodError: ..." and others that ended the file at that line (or NULL). */
const char *hint_exception(struct ruby *rb, const char *text, const char *line);

/* ---- bytecode.c -------------------------------------------------------------------- */

struct insn {
	uint8_t op;
	uint32_t a, b, c;
	uint32_t next; /* offset of the instruction after it */
};
/* Decodes the instruction at an offset. False for an opcode this build of the
 * tool does not know. */
bool insn_decode(const mrb_irep *irep, uint32_t pc, struct insn *out);
const char *insn_name(uint8_t op);
/* Is an instruction in the range a rescue or ensure guards? */
bool handler_covers(const struct mrb_irep_catch_handler *h, uint32_t pc);
/* Where it goes on. */
uint32_t handler_target(const struct mrb_irep_catch_handler *h);

/* ---- values ------------------------------------------------------------------------- */

enum vkind {
	V_UNSET,   /* a register never written: nil */
	V_STATIC,  /* a Ruby value known now */
	V_INT,     /* a runtime Integer */
	V_COMM,    /* ctx.comm */
	V_CTX,     /* the block's argument */
	V_TEXT,    /* a String made from what is not known */
	V_ARRAY,   /* an array made in the block: its cell holds a tuple */
	V_HASH,    /* a hash made in the block: its cell holds keys and values by turns */
	V_OBJECT,  /* an object made in the block: its cell holds names and values by turns */
	V_TUPLE,   /* only in the cell of an array or hash */
	V_RANGE,   /* a range with an end known at run time only */
	V_CLOSURE, /* a block or lambda made in the block */
	V_CHOICE,  /* one of several, by path */
};

struct val {
	enum vkind kind;
	union {
		mrb_value st;
		term t;
		uint32_t cell;
		struct tuple *tuple;
		struct closure *closure;
		struct choice *choice;
		struct range_val *range;
		struct object_val *object;
	} u;
};

struct object_val { struct RClass *class; uint32_t cell; };
struct tuple { size_t n; bool frozen; struct val items[]; };
struct range_val { struct val lo, hi; bool exclusive; };
struct arm { term guard; struct val v; };
struct arms { struct arm *list; size_t n, cap; };
struct choice { struct choice *flat; size_t n; struct arm arms[]; }; /* flat: itself, or NULL = not yet */

/* Code with its surroundings: a proc of the file, or one made while lifting. */
struct closure {
	const mrb_irep *irep;
	const struct RProc *proc;   /* of the file or library; NULL: made while lifting */
	struct closure *upper;      /* lexically around it (made while lifting) */
	uint32_t home_base;         /* cells of the frame that made it */
	uint32_t home_frame;        /* and its id */
	struct val self;
	struct frame *maker;        /* for return and block_given? */
	bool strict;
	mrb_sym sends;              /* of `&:name`: the message; irep is then NULL */
};

/* ---- states ---------------------------------------------------------------------------- */

/* What is assumed on a path: a list of literals. */
struct guard {
	struct guard *up;
	term literal;
	term full;     /* conjunction with all above */
	struct guard *jump; /* an ancestor far above: common ancestors in O(log depth) */
	unsigned depth;
	/* conjunction of the literals up to `since`, once a merge has asked for it */
	const struct guard *since;
	term relative;
};

/* Registers of all frames and contents of arrays, copied on write. */
struct state {
	struct guard *guard;
	uint64_t owner;
	struct cells *root;
	uint32_t top;     /* first free register */
	uint32_t escaped; /* how often a closure was kept where its maker may not see it */
	uint32_t pc;
	struct val result;
	struct state *next; /* in a frame's list of pending states, ascending pc */
};

struct call {
	mrb_sym mid;
	struct val recv;
	const struct val *args;
	size_t n;
	struct val block;    /* static nil: none */
	struct val keywords; /* a hash, or nil */
};

struct frame {
	struct frame *up;
	const struct closure *code;
	const mrb_irep *irep;
	uint32_t base, id;
	uint32_t pc;          /* of the instruction being evaluated */
	const struct call *call; /* what it was called with */
	uint32_t keywords_at;    /* register of the keywords not taken yet */
	bool is_root;
	uint32_t end;         /* of its registers */
	uint32_t escaped;     /* of the state it was entered with */
};

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

struct raised {
	term when;
	struct span at;
	const char *what;
	const char *hint;
	bool certain_class; /* NameError, NoMethodError, ArgumentError, TypeError */
	bool on_purpose;    /* an explicit raise */
};

struct lifter {
	struct ruby *rb;
	mrb_state *mrb;
	struct arena *arena;
	struct terms *terms;
	jmp_buf bail;
	struct frame *frame;
	uint32_t next_frame, next_cell;
	uint64_t next_owner;
	unsigned depth;
	unsigned long fuel;
	size_t memory_before; /* bytes of the arena when the block was begun */
	struct raised *raised;
	size_t nraised, raised_cap;
	term *implied; /* by condition of a case: see state_implies() */
	size_t implied_cap;
};

/* lift.c */
/* Sets match and raises of a rule from its block. 0, or -1 with a diagnostic. */
int lift_block(struct ruby *rb, struct rule *r, mrb_value proc);
void lift_refuse(struct lifter *l, const char *hint, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
/* Pays for one instruction; refuses a block that needs too many, or too much memory. */
void lift_spend(struct lifter *l);
/* Refuses a method that the policy calls; `why` (or "") ends the sentence. */
void lift_refuse_method(struct lifter *l, const struct call *c, const char *why, const char *hint)
	__attribute__((noreturn));
/* The call that the policy's own text makes, where c (NULL: none) may be one
 * that the library makes on its way. NULL: the library is not involved. */
const struct call *lift_user_call(const struct lifter *l, const struct call *c);
/* "`any?` of an Array". */
const char *lift_call_text(struct lifter *l, const struct call *c);
bool lift_in_policy(const struct lifter *l, const struct frame *f);
struct span lift_place(const struct lifter *l);
bool lift_possible(struct lifter *l, term guard);
/* Ends a path by an exception. */
void lift_raise(struct lifter *l, struct state *st, struct RClass *class, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Warns once of what is at this place. */
void lift_warn(struct lifter *l, const char *hint, const char *text);

/* lift/lint.c: warns when a == b, or list.include?(v), is true of no request */
void lint_equal(struct lifter *l, const struct state *st, struct val a, struct val b);
void lint_include(struct lifter *l, const struct state *st, struct val list, struct val v);

/* lift/state.c */
struct state *state_new(struct lifter *l);
struct val state_get(const struct state *st, uint32_t cell);
void state_set(struct lifter *l, struct state *st, uint32_t cell, struct val v);
struct state *state_fork(struct lifter *l, struct state *st);
/* Merges b into a (either may be NULL); both are used up. */
struct state *state_merge(struct lifter *l, struct state *a, struct state *b);
/* Remembers that a condition implies another, whatever the path: that of a case, that
 * there is a case. A conjunction of the two is then found without a look into a long disjunction. */
void state_implies(struct lifter *l, term a, term b);
/* path and condition, by what is remembered where it says so. */
term state_and(struct lifter *l, term path, term condition);
/* Adds a literal to the path; false: the path is impossible. */
bool state_assume(struct lifter *l, struct state *st, term literal);
/* Frees the registers from `top` on, when no closure that needs them can be left:
 * none escaped since `escaped` was read. */
void state_truncate(struct lifter *l, struct state *st, uint32_t top, uint32_t escaped);
/* Takes n registers more; returns the end of them. */
uint32_t state_reserve(struct lifter *l, struct state *st, uint32_t n);
/* A cell for an array: one no other array has, on any path. */
uint32_t state_new_cell(struct lifter *l);
/* Notes that v is kept beyond the frame that made it, should it be a closure. */
void state_keeps(struct lifter *l, struct state *st, struct val v);

/* lift/choice.c */
struct val val_bool(struct lifter *l, term cond);
struct val val_choice2(struct lifter *l, term ga, struct val a, term gb, struct val b);
/* The arms a value can have here: disjoint, impossible and equal ones gone. A
 * value that is no choice is one arm with guard T_TRUE. */
size_t val_arms(struct lifter *l, const struct state *st, struct val v, const struct arm **arms);
bool val_has_closure(struct lifter *l, struct val v);
/* A value from arms. */
struct val val_from_arms(struct lifter *l, const struct arm *arms, size_t n);
/* The arms with all Integers in one, which chooses; their number. */
size_t val_join_integers(struct lifter *l, const struct arm **arms, size_t n);
/* Unwraps a choice of one arm. */
struct val val_settle(struct lifter *l, const struct state *st, struct val v);
term val_truth(struct lifter *l, const struct state *st, struct val v);
/* Are they one object, or one number (no choices)? */
bool val_same(struct lifter *l, struct val a, struct val b);

/* lift/value.c */
struct val val_static(mrb_value v);
struct val val_nil(void);
struct val val_int(struct lifter *l, term t);
bool val_is_nil(struct val v);
/* Of the class Integer; of Integer or Float; an Array: known or not (no choice). */
bool val_is_integer(struct val v);
bool val_is_number(struct val v);
bool val_is_array(struct val v);
/* Did the policy write that method of a class? */
bool class_redefines(struct lifter *l, struct RClass *class, const char *method);
/* Has the class of v (no choice) a method? */
bool val_responds(struct lifter *l, struct val v, const char *method);
/* Integer value as a term (no choice). */
bool val_as_term(struct lifter *l, struct val v, term *t);
struct RClass *val_class(struct lifter *l, struct val v);
/* "nil", "an Integer", ...: for messages (arena text). */
const char *val_describe(struct lifter *l, struct val v);
/* A fresh array. */
struct val val_array(struct lifter *l, struct state *st, const struct val *items, size_t n);
/* The items of an array (made in the block, or static). False: not one, or its
 * length depends on the path. */
bool val_items(struct lifter *l, const struct state *st, struct val v, const struct val **items, size_t *n);
/* The same when it is one of several arrays, all of one length: items are choices. */
bool val_spread(struct lifter *l, const struct state *st, struct val v, const struct val **items, size_t *n);
/* A fresh hash; keys and values by turns, no two keys equal. */
struct val val_hash(struct lifter *l, struct state *st, const struct val *pairs, size_t n);
/* The keys and values of a hash, by turns; n counts both. As val_items(). */
bool val_pairs(struct lifter *l, const struct state *st, struct val v, const struct val **pairs, size_t *n);
/* Gives an array or hash of the block other contents. */
void val_set_items(struct lifter *l, struct state *st, struct val v, const struct val *items, size_t n);
/* Refuses to change a frozen array, hash or object: mruby raises. */
void lift_refuse_frozen(struct lifter *l, const struct state *st, uint32_t cell);
/* The Ruby value of what is known now, also of an array made in the block. */
bool val_known(struct lifter *l, const struct state *st, struct val v, mrb_value *out);

/* lift/vm.c */
struct flow lift_frame(struct lifter *l, struct frame *fr, struct state *st);
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

/* lift/call.c */
struct flow lift_send(struct lifter *l, struct state *st, const struct call *c);
/* Runs Ruby code with the arguments of a call. */
struct flow lift_invoke(struct lifter *l, struct state *st, const struct closure *code, struct val self,
                        const struct call *c);
struct closure *closure_of_proc(struct lifter *l, const struct RProc *p);
/* "`key?` of a Hash takes 1 argument" from mruby's text on a call with a wrong
 * number of arguments; NULL for another text. */
const char *lift_takes(struct lifter *l, const struct call *c, const char *what);
/* Where the last exception is about the number of arguments of a call, its hint
 * says what the method takes. */
void lift_hint_count(struct lifter *l, const struct call *c);

/* lift/ops.c: operators on values that are no choices; each ends in `flow` */
struct flow lift_binary(struct lifter *l, struct state *st, enum term_op op, struct val a, struct val b);
enum compare_op { OP2_EQ, OP2_LT, OP2_LE, OP2_GT, OP2_GE, OP2_CMP };
struct flow lift_compare(struct lifter *l, struct state *st, enum compare_op op, struct val a, struct val b);
/* Refuses a string made from what is not known; returns when v is none. */
void lift_refuse_text(struct lifter *l, struct val v);
/* Does a equal b as == (or eql?) of Integer, comm, and arrays of them says? */
term lift_equal(struct lifter *l, const struct state *st, struct val a, struct val b, bool eql);
struct flow lift_negate(struct lifter *l, struct state *st, struct val a);
/* comm holds these bytes at an offset, and ends there when `whole`. */
term comm_matches(struct lifter *l, size_t at, const char *bytes, size_t n, bool whole);

/* lift/hashes.c: hash[key] = value, of the hash in a cell */
void hash_store(struct lifter *l, struct state *st, uint32_t cell, struct val key, struct val value);

/* lift/objects.c: instance variables of an object made in the block */
struct val object_get(struct lifter *l, const struct state *st, struct val object, mrb_sym name);
void object_set(struct lifter *l, struct state *st, struct val object, mrb_sym name, struct val value);

/* lift/methods.c: C functions of mruby, by what dispatch finds */
struct methods *methods_new(struct ruby *rb);
/* Runs Ruby code of mruby's library in mruby itself when the table says so and all
 * it needs is known. False: it is to be lifted. */
bool lift_library(struct lifter *l, struct state *st, const struct call *c, const mrb_irep *irep,
                  struct flow *out);
struct flow lift_cfunc(struct lifter *l, struct state *st, const struct call *c, mrb_func_t fn,
                       struct RClass *owner);
/* a[i] with a known array and a runtime index. */
struct flow lift_index(struct lifter *l, struct state *st, struct val array, struct val index);

#endif
