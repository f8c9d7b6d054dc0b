/*
 * differences.h - where mruby is not Ruby: shared by the files that see to it that
 * a policy means what Ruby says, or is refused by name.
 *
 *   prelude.c      methods of the library written anew in Ruby
 *   differences*.c methods that are refused, always or for some values
 *   dialect*.c     what the parser compiles to something else: text and bytecode
 */
#ifndef DEVGUARD_COMPILER_RUBY_DIFFERENCES_H
#define DEVGUARD_COMPILER_RUBY_DIFFERENCES_H

#include "compiler/ruby/interpreter.h"

/* ---- prelude.c, differences.c: before the policy, what means something else is replaced ---- */

void prelude_run(struct interpreter *rb);
void differences_define(struct interpreter *rb);
/* Strings that are written in the file are not to be changed. */
void differences_frozen(struct interpreter *rb);

/* ---- replaced.c ---------------------------------------------------------------------- */

/* Functions of ours for methods, a list that ends with no name. */
struct replacement {
	const char *name;
	mrb_func_t fn;
};
void difference_replace(mrb_state *mrb, struct RClass *c, const struct replacement *list);
/* Calls what the method was before, with the arguments of this call. */
mrb_value difference_before(mrb_state *mrb, mrb_value self, const char *name);
/* An argument of this call; nil: it is not given. */
mrb_value difference_argument(mrb_state *mrb, mrb_int i);

/* ---- differences_text.c, differences_numbers.c ------------------------------------------ */

void differences_text(mrb_state *mrb);
void differences_numbers(mrb_state *mrb);
/* Is a value no text, or text in ASCII? */
bool difference_ascii(mrb_state *mrb, mrb_value v);

/* ---- dialect.c, dialect_text.c: after parsing -------------------------------------------- */

/* Refuses what mruby compiles to another meaning than Ruby's. 0, or -1 with diagnostics.
 * The file's lines are looked at once, its code twice. */
int dialect_check(struct interpreter *rb, const struct RProc *proc);
/* What only the text of the file still shows. */
void dialect_text(struct interpreter *rb);

#endif
