/*
 * user_print.c - what handlers print with: puts, print, p, printf. The text goes to whoever runs them.
 */
#include "compiler/ruby/user.h"

#include <string.h>

enum { DEEP = 16 }; /* arrays inside of arrays */

static void out(mrb_state *mrb, const char *s, size_t n)
{
	const struct user_calls *calls = &user_of(mrb)->calls;
	if (n)
		calls->print(calls->self, s, n);
}

static void out_value(mrb_state *mrb, mrb_value v)
{
	mrb_value s = mrb_string_p(v) ? v : mrb_obj_as_string(mrb, v);
	out(mrb, RSTRING_PTR(s), (size_t)RSTRING_LEN(s));
}

static void put_line(mrb_state *mrb, mrb_value v, int deep)
{
	if (mrb_array_p(v) && deep == DEEP)
		mrb_raise(mrb, mrb_class_get(mrb, "ArgumentError"), "puts: arrays inside of arrays, without end");
	if (mrb_array_p(v)) {
		for (mrb_int i = 0; i < RARRAY_LEN(v); i++)
			put_line(mrb, RARRAY_PTR(v)[i], deep + 1);
		return;
	}
	int ai = mrb_gc_arena_save(mrb);
	mrb_value s = mrb_string_p(v) ? v : mrb_obj_as_string(mrb, v);
	size_t n = (size_t)RSTRING_LEN(s);
	out(mrb, RSTRING_PTR(s), n);
	if (!n || RSTRING_PTR(s)[n - 1] != '\n')
		out(mrb, "\n", 1);
	mrb_gc_arena_restore(mrb, ai);
}

static mrb_value user_puts(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	mrb_int n;
	(void)self;
	mrb_get_args(mrb, "*", &args, &n);
	for (mrb_int i = 0; i < n; i++)
		put_line(mrb, args[i], 0);
	if (!n || (n == 1 && mrb_array_p(args[0]) && !RARRAY_LEN(args[0])))
		out(mrb, "\n", 1);
	return mrb_nil_value();
}

static mrb_value user_print(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	mrb_int n;
	(void)self;
	mrb_get_args(mrb, "*", &args, &n);
	for (mrb_int i = 0; i < n; i++)
		out_value(mrb, args[i]);
	return mrb_nil_value();
}

static mrb_value user_p(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	mrb_int n;
	(void)self;
	mrb_get_args(mrb, "*", &args, &n);
	for (mrb_int i = 0; i < n; i++)
		put_line(mrb, mrb_inspect(mrb, args[i]), 0);
	return n == 0 ? mrb_nil_value() : n == 1 ? args[0] : mrb_ary_new_from_values(mrb, n, args);
}

static mrb_value user_printf(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	mrb_int n;
	mrb_get_args(mrb, "*", &args, &n);
	if (n)
		out_value(mrb, mrb_funcall_argv(mrb, self, mrb_intern_lit(mrb, "sprintf"), n, args));
	return mrb_nil_value();
}

void user_print_define(struct user *u)
{
	static const struct { const char *name; mrb_func_t fn; } functions[] = {
		{"puts", user_puts}, {"print", user_print}, {"p", user_p}, {"printf", user_printf}};
	mrb_state *mrb = u->ruby.rb.mrb;
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		mrb_define_method(mrb, mrb->kernel_module, functions[i].name, functions[i].fn, MRB_ARGS_ANY());
}
