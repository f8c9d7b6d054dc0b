/* dsl.h - what the files of the language's words share, each above those before it. */
#ifndef DEVGUARD_COMPILER_RUBY_DSL_H
#define DEVGUARD_COMPILER_RUBY_DSL_H

#include "compiler/ruby/ruby.h"

/* ---- dsl_args.c ---------------------------------------------------------------------- */

/* Refuses a word of the language in a rule's block. */
void args_while_running(mrb_state *mrb, const char *what);
/* A C string of a Ruby string without NUL bytes. */
const char *args_text(mrb_state *mrb, mrb_value s, const char *what);
/* A statement that has no use for a block would lose the rules in it. */
void args_no_block(mrb_state *mrb, mrb_value block, const char *what);
/* The one argument of a call; block is NULL where it takes none. */
mrb_value args_only(mrb_state *mrb, const char *what, const char *example, mrb_value *block);
/* Refuses keyword arguments that a function does not have. */
void args_no_others(mrb_state *mrb, mrb_value others, const char *what, const char *has, const char *const *names, size_t n);

/* ---- dsl_raw.c ----------------------------------------------------------------------- */

/* The words of raw programs. */
void dsl_raw_define(struct ruby *ruby);

/* ---- dsl_user.c ---------------------------------------------------------------------- */

/* The words of the user half, when the policy is compiled. */
void dsl_user_define(struct interpreter *rb);
mrb_value dsl_on(mrb_state *mrb, mrb_value self);
mrb_value dsl_every(mrb_state *mrb, mrb_value self);
mrb_value dsl_at_exit(mrb_state *mrb, mrb_value self);
/* After the file has run: what its handlers ask for is reported, or it is refused. 0, or -1 with a diagnostic. */
int handlers_reported(struct ruby *ruby);

/* ---- dsl_rules.c --------------------------------------------------------------------- */

mrb_value dsl_allow(mrb_state *mrb, mrb_value self);
mrb_value dsl_deny(mrb_state *mrb, mrb_value self);
mrb_value dsl_never(mrb_state *mrb, mrb_value self);
mrb_value dsl_always(mrb_state *mrb, mrb_value self);

#endif
