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

struct ruby {
	struct interpreter rb;
	struct said said;
	struct question question;
	struct lifting *lifting; /* NULL: not begun */
	struct seal *seal;       /* seal.c */
};

/* ---- mruby.c ----------------------------------------------------------------------- */

struct ruby *ruby_of(mrb_state *mrb);

/* ---- reference.c ------------------------------------------------------------------- */

/* Defines the class of ctx. */
void reference_define(struct interpreter *rb);
/* A method of ctx for a parameter. */
void reference_param(struct interpreter *rb, const char *name, size_t index);

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
/* Smallest line of an irep; 0 = none. */
int irep_first_line(struct interpreter *rb, const mrb_irep *irep);

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

/* ---- dsl.c ------------------------------------------------------------------------ */

/* Defines the functions of the policy language. */
void dsl_define(struct interpreter *rb);

#endif
