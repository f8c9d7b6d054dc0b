/*
 * differences.h - where mruby is not Ruby: shared by the files that see to it that
 * a policy means what Ruby says, or is refused by name.
 *
 *   prelude.c      methods of the library written anew in Ruby
 *   differences.c  methods that are refused, always or for some values
 *   dialect.c      what the parser compiles to something else: text and bytecode
 */
#ifndef DEVGUARD_COMPILER_DIFFERENCES_H
#define DEVGUARD_COMPILER_DIFFERENCES_H

#include "compiler/lift.h"

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

/* Refuses what runs now, at its line; in a block, what is lifted now. */
void differs(mrb_state *mrb, const char *hint, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#endif
