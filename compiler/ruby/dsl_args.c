/*
 * dsl_args.c - what all words of the language ask of their arguments.
 *
 * What is wrong is said at the line of the call, and the file stops.
 */
#include "compiler/ruby/dsl.h"

#include <string.h>

void args_while_running(mrb_state *mrb, const char *what)
{
	if (!ruby_of(mrb)->said.running)
		dsl_fail(mrb, "rules are made when the file runs", "`%s` inside a rule's block", what);
}

/* A C string of a Ruby string without NUL bytes. */
const char *args_text(mrb_state *mrb, mrb_value s, const char *what)
{
	if (!mrb_string_p(s))
		dsl_fail(mrb, "write it in quotes", "%s must be a string, not %s", what, mrb_obj_classname(mrb, s));
	if (memchr(RSTRING_PTR(s), 0, (size_t)RSTRING_LEN(s)))
		dsl_fail(mrb, "remove the \\0", "%s contains a NUL byte", what);
	return arena_strndup(ruby_of(mrb)->rb.arena, RSTRING_PTR(s), (size_t)RSTRING_LEN(s));
}

/* A statement that has no use for a block would lose the rules in it. */
void args_no_block(mrb_state *mrb, mrb_value block, const char *what)
{
	if (!mrb_nil_p(block))
		dsl_fail(mrb, "end the statement before `do`, and write the rules after it",
		         "`%s` takes no block: what is in it would not count", what);
}

/* The one argument of a call; block is NULL where it takes none. */
mrb_value args_only(mrb_state *mrb, const char *what, const char *example, mrb_value *block)
{
	const mrb_value *args;
	mrb_value given;
	mrb_int n;
	mrb_get_args(mrb, "*&", &args, &n, block ? block : &given);
	args_while_running(mrb, what);
	if (!block)
		args_no_block(mrb, given, what);
	if (n != 1)
		dsl_fail(mrb, arena_printf(ruby_of(mrb)->rb.arena, "write %s", example), "%s takes one value, not %d", what,
		     (int)n);
	return args[0];
}

/* Keyword arguments that a function does not have. */
void args_no_others(mrb_state *mrb, mrb_value others, const char *what, const char *has,
                      const char *const *names, size_t n)
{
	struct interpreter *rb = &ruby_of(mrb)->rb;
	mrb_value keys = mrb_hash_keys(mrb, others);
	if (!RARRAY_LEN(keys))
		return;
	mrb_value key = RARRAY_PTR(keys)[0];
	const char *name = mrb_symbol_p(key) ? ruby_name(rb, mrb_symbol(key)) : "a key that is no symbol";
	const char *near = did_you_mean(name, names, n);
	dsl_fail(mrb, near ? arena_printf(rb->arena, "did you mean %s:?", near) : has, "%s does not take %s%s", what,
	     name, mrb_symbol_p(key) ? ":" : "");
}
