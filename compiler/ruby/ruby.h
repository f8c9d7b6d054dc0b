/*
 * ruby.h - a compilation from the text of a policy to its rules: shared by the files that
 * run it. Each part is passed where it alone is needed.
 */
#ifndef DEVGUARD_COMPILER_RUBY_RUBY_H
#define DEVGUARD_COMPILER_RUBY_RUBY_H

#include "compiler/ruby/said.h"

/* The request that mruby is asked about, one access of it; reference.c. */
struct question {
	const struct request *request; /* NULL: none */
	int access;
	int missing;                   /* the input that was not given, or -1 */
};

struct raw_reference;

struct ruby {
	struct interpreter rb;
	struct said said;
	struct question question;
	struct raw_reference *reference; /* reference_raw.c; NULL: no raw program was run */
	struct lifting *lifting; /* NULL: not begun */
	struct seal *seal;       /* seal.c */
	mrb_func_t attr;         /* Module#attr before dsl_raw.c */
	mrb_value program;       /* raw.c: the method that is the program */
};

/* ---- mruby.c ----------------------------------------------------------------------- */

struct ruby *ruby_of(mrb_state *mrb);

/* Starts mruby with an empty library; `ud` is what ruby_of() finds. False: there is no memory. */
bool interpreter_open(struct interpreter *rb, void *ud);
/* Starts the parts of the library that a policy has; what goes wrong is raised. */
void interpreter_library(struct interpreter *rb);
void interpreter_close(struct interpreter *rb);

/* What is done from now on is about that file of the policy; another name changes nothing. */
void ruby_turn_to(struct interpreter *rb, const char *file);
/* Runs the code of rb->source; what it raises is raised. */
void ruby_run(struct interpreter *rb);
/* The innermost frame of the policy's text, NULL: none; turns to its file. */
const mrb_callinfo *ruby_frame(struct interpreter *rb);
/* Line of the policy where the interpreter is now, 0 = unknown; turns to its file. */
int ruby_line(struct interpreter *rb);

/* Text of one line of rb->source (arena), control bytes kept. */
const char *ruby_source_line(struct interpreter *rb, int line);
/* A line of rb->source; one that is not positive: no line. */
struct span ruby_at(const struct interpreter *rb, int line);
/* An error at a line of rb->source; always returns -1. */
int ruby_refuse(struct interpreter *rb, int line, const char *hint, const char *text);

/* ---- lines.c ----------------------------------------------------------------------- */

/* Lets go of the ireps; before the interpreter is closed. */
void lines_close(struct interpreter *rb);

/* ---- irep.c -------------------------------------------------------------------------- */

/* Is a word one of a list that ends with NULL? */
bool is_one_of(const char *word, const char *const *list);
/* The name of a symbol of the code; "": it has none there. */
const char *irep_symbol(struct interpreter *rb, const mrb_irep *irep, uint32_t i);
/* Has the code a variable of that name, of its own? */
bool irep_has_local(struct interpreter *rb, const mrb_irep *irep, const char *name);
/* Is it a jump, and to where? */
bool insn_jumps(const struct insn *in, uint32_t *to);
/* Smallest line of the code; 0 = none. */
int irep_first_line(struct interpreter *rb, const mrb_irep *irep);
/* Takes it keywords; `**rest` and no others? */
bool irep_takes_keywords(const mrb_irep *irep);
bool irep_takes_rest(const mrb_irep *irep);
/* The last instruction before pc that writes a register, as the code is laid out; the same of
 * a hash. False: there is none. */
bool irep_writer(const mrb_irep *irep, uint32_t pc, uint32_t reg, struct insn *out);
bool irep_hash_writer(const mrb_irep *irep, uint32_t pc, uint32_t reg, struct insn *out);

/* ---- hints.c ------------------------------------------------------------------------- */

/* For "NoMethodError: ..." and others that ended the file at that line (or NULL). */
const char *hint_exception(struct interpreter *rb, const struct said *said, const char *text,
                           const char *line);

/* ---- reference.c ------------------------------------------------------------------- */

/* Defines the class of ctx. */
void reference_define(struct interpreter *rb);
/* A method of ctx for a parameter. */
void reference_param(struct interpreter *rb, const char *name, size_t index);
/* ---- reference_raw.c --------------------------------------------------------------- */

/* What the method of a raw program says to a request, which may say what maps hold (raw_settle()). */
void reference_raw_decide(struct ruby *ruby, const struct policy *p, const struct request *r, struct decision *out);

/* ---- place.c: what is refused where the code at work is ------------------------------ */

/* Reports an error at the statement that runs now, and ends the file. */
void dsl_fail(mrb_state *mrb, const char *hint, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
/* Refuses what runs now, at its line; in a block, what is lifted now: it means something
 * else in Ruby. */
void differs(mrb_state *mrb, const char *hint, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/* ---- statement.c ------------------------------------------------------------------- */

/* Line that the statement which runs now begins on, 0 = unknown; turns to its file. */
int statement_line(struct interpreter *rb);
/* The line at or above `line` on which a word stands; `line` when it is on none. */
int statement_word(struct interpreter *rb, int line, const char *word);
/* Notes the code that makes a rule now. */
void statement_made(struct ruby *ruby);
/* ---- pieces.c --------------------------------------------------------------------- */

struct pieces { struct mrb_parser_state **list; size_t n, cap; };
/* Parses the policy's text as mrb_parse_nstring() does. The result, in which are
 * tree, errors and warnings, belongs to `out`; NULL: mruby gives up. */
struct mrb_parser_state *pieces_parse(struct interpreter *rb, mrbc_context *cx, struct pieces *out);
void pieces_free(struct pieces *p);

/* ---- parse.c ------------------------------------------------------------------------ */

/* The code of rb->source; NULL, with diagnostics: there is none. */
struct RProc *parse_source(struct interpreter *rb);

/* ---- seal.c -------------------------------------------------------------------------- */

/* Takes out of the library what a policy must not have; before anything is learnt of it. */
void seal_library(struct ruby *ruby);
/* From here on the constants of the library stay. */
void seal_constants(struct ruby *ruby);
/* What to do instead of defining a method of that name; NULL: it may be defined. */
const char *seal_reserved(const char *name);
#define SEAL_CONSTANT "the library's constant `%s` is assigned anew or taken away"
#define SEAL_CONSTANT_HINT "choose another name"
bool seal_is_constant(const struct ruby *ruby, mrb_sym name);
/* Are all as they were? Else the name of one that is not. */
bool seal_constants_kept(struct ruby *ruby, const char **name);

/* ---- lost.c: where a rule could vanish without a word -------------------------------- */

/* What ends the file early, or hides part of it, in its text. 0, or -1 with a diagnostic. */
int lost_in_text(struct interpreter *rb);
/* Definitions of words of the language, also where they are never reached. */
int lost_to_definitions(struct ruby *ruby, const mrb_irep *file);
/* After the file has run: `return` out of it, and code that made no rule. */
int lost_after_run(struct ruby *ruby, const mrb_irep *file);

/* ---- sources.c: files of a policy ---------------------------------------------------- */

/* Adds a file and turns to it; name: relative to the policy's directory, NULL: the policy. */
void source_add(struct interpreter *rb, const char *file, const char *name, const char *text, size_t len);
/* From the text of rb->source to code that may run. 0, or -1 with a diagnostic. */
int source_prepare(struct ruby *ruby);
mrb_value dsl_load(mrb_state *mrb, mrb_value self);
mrb_value dsl_require_relative(mrb_state *mrb, mrb_value self);

/* ---- raw.c: a file that is a raw program ------------------------------------------------- */

/* After the file has run: finds its method, names its maps, and sets policy->raw, whose steps and result are still to
 * be lifted. What does not go together with a raw program, or needs one, is an error. 0, or -1 with a diagnostic. */
int raw_find(struct ruby *ruby);
/* After it was lifted: the rule of a device program, and what the user half runs. */
void raw_finish(struct ruby *ruby);

/* ---- dsl_user.c --------------------------------------------------------------------------- */

/* After all was lifted: keeps the bytecode of a file that has a user half. 0, or -1 with a diagnostic. */
int user_half_keep(struct ruby *ruby);

/* ---- dsl.c ------------------------------------------------------------------------ */

/* Defines the functions of the policy language. */
void dsl_define(struct ruby *ruby);

#endif
