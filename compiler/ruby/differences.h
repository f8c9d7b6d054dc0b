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

#include "compiler/lift/lift.h"

/* Before the policy: methods that mean something else in mruby are replaced. */
void prelude_run(struct ruby *rb);
void differences_define(struct ruby *rb);
/* Strings that are written in the file are not to be changed. */
void differences_frozen(struct ruby *rb);

/* After parsing: refuses what mruby compiles to another meaning than Ruby's. 0, or -1
 * with diagnostics. The file's lines are looked at once, its code twice. */
int dialect_check(struct ruby *rb, const struct RProc *proc);

/* Has an object of Ruby a method that mruby has not? `of_nil`: has nil? */
bool ruby_alone_has(const char *name, bool of_nil);

/* differences.c: methods replaced by functions of ours, a list that ends with no name */
struct replacement {
	const char *name;
	mrb_func_t fn;
};
void difference_replace(mrb_state *mrb, struct RClass *c, const struct replacement *list);
/* Calls what the method was before, with the arguments of this call. */
mrb_value difference_before(mrb_state *mrb, mrb_value self, const char *name);
/* An argument of this call; nil: it is not given. */
mrb_value difference_argument(mrb_state *mrb, mrb_int i);

/* differences_text.c, differences_numbers.c */
void differences_text(mrb_state *mrb);
void differences_numbers(mrb_state *mrb);
/* Is a value no text, or text in ASCII? */
bool difference_ascii(mrb_state *mrb, mrb_value v);

/* Refuses what runs now, at its line; in a block, what is lifted now. */
void differs(mrb_state *mrb, const char *hint, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/* dialect.c: an error at a line of the file */
void dialect_refuse(struct ruby *rb, int line, const char *hint, const char *text);
/* dialect_text.c: what only the text of the file still shows */
void dialect_text(struct ruby *rb);

#endif
