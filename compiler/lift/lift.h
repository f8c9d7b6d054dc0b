/*
 * lift.h - symbolic evaluation of mruby bytecode, as ruby/ asks for it.
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

/* ---- lifting: lift.c, refuse.c, table.c ------------------------------------------- */

/* Sets match and raises of a rule from its block. 0, or -1 with a diagnostic. */
int lift_block(struct ruby *rb, struct rule *r, mrb_value proc);
/* Where the block is that is lifted now. */
struct span lift_place(const struct lifter *l);
/* What is known of mruby's C functions; before the policy runs. */
struct methods *methods_new(struct ruby *rb);

#endif
