/*
 * differences.c - methods of mruby that answer something else than Ruby's.
 *
 * Each is replaced by a function that refuses, always or for the values for which
 * the answers differ, and else calls what was there before (replaced.c). lift/methods.c
 * finds the new functions by dispatch, like any other, so a block and the file mean the same.
 */
#include "compiler/ruby/differences.h"
#include "compiler/ruby/ruby.h"

#include <string.h>

/* ---- questions about what there is --------------------------------------------------------------- */

/* Of a method at the file's top level: private in Ruby. */
static bool is_top_level(mrb_state *mrb, mrb_value self, mrb_sym name)
{
	struct RClass *c = mrb_class(mrb, self);
	mrb_method_t m = mruby_method(mrb, &c, name);
	return !MRB_METHOD_UNDEF_P(m) && !MRB_METHOD_CFUNC_P(m) && c == mrb->object_class &&
	       mrb_debug_get_filename(mrb, MRB_METHOD_PROC(m)->body.irep, 0);
}

static mrb_value kernel_respond_to(mrb_state *mrb, mrb_value self)
{
	mrb_value name = difference_argument(mrb, 0), v = difference_before(mrb, self, "respond_to?");
	mrb_sym sym = mrb_symbol_p(name) || mrb_string_p(name) ? mrb_obj_to_sym(mrb, name) : 0;
	if (!mrb_test(v) && sym && ruby_alone_has(mrb_sym_name(mrb, sym), mrb_nil_p(self)))
		differs(mrb, "ask for the class: x.is_a?(Integer)", "`respond_to?` of a method that Ruby has and mruby has not");
	if (mrb_test(v) && sym && !mrb_test(difference_argument(mrb, 1)) && is_top_level(mrb, self, sym))
		return mrb_false_value();
	return v;
}

static const char *const absent_constants[] = {"RUBY_ENGINE", "RUBY_ENGINE_VERSION", "RUBY_VERSION", "MRUBY_VERSION", "MRUBY_COPYRIGHT",
	"MRUBY_DESCRIPTION", "MRUBY_RELEASE_DATE", "MRUBY_RELEASE_NO", NULL};

/* ---- what is refused whatever it is given ----------------------------------------------------------- */

struct refused { const char *class, *name, *text, *hint; };

#define PUBLIC "leave it out: in a policy every method can be called by its name, and a policy's constants are its own"
#define LISTS "name what you need: the lists of mruby and Ruby differ"
#define FLOATS "divide Integers"

static const struct refused refusals[] = {
	{"Module", "private", "`private` has no effect in mruby", PUBLIC},
	{"Module", "protected", "`protected` has no effect in mruby", PUBLIC},
	{"Module", "private_class_method", "`private_class_method` is not in mruby", PUBLIC},
	{"Module", "private_constant", "`private_constant` is not in mruby", PUBLIC},
	{"Module", "module_function", "`module_function` has no effect in mruby", "write `def self.name` for each method"},
	{"Module", "instance_methods", "`instance_methods` lists other methods in Ruby", LISTS},
	{"Module", "method_defined?", "`method_defined?` answers for mruby's methods, not for Ruby's", LISTS},
	{"Module", "const_defined?", "`const_defined?` answers for mruby's constants, not for Ruby's", LISTS},
	{"Kernel", "methods", "`methods` lists other methods in Ruby", LISTS},
	{"Kernel", "public_methods", "`public_methods` lists other methods in Ruby", LISTS},
	{"Kernel", "private_methods", "`private_methods` lists other methods in Ruby", LISTS},
	{"Kernel", "protected_methods", "`protected_methods` lists other methods in Ruby", LISTS},
	{"Kernel", "global_variables", "`global_variables` lists others in Ruby", LISTS},
	{"Proc", "arity", "`arity` counts parameters in another way in mruby", "give the number as a value of its own"},
	{"Proc", "parameters", "`parameters` says something else in mruby", "give the number as a value of its own"},
	{"Proc", "lambda?", "`lambda?` answers something else in mruby", "write -> (x) { ... } for a lambda"},
	{"Integer", "quo", "`quo` of Integers makes a Rational in Ruby, which mruby has not", "use / or fdiv"},
	{"Float", "%", "`%` of a Float: mruby rounds it in another way than Ruby", FLOATS},
	{"Float", "modulo", "`modulo` of a Float: mruby rounds it in another way than Ruby", FLOATS},
	{"Float", "divmod", "`divmod` of a Float: mruby rounds it in another way than Ruby", FLOATS},
	{"String", "dump", "`dump` writes other escapes in mruby", "write the text itself"},
};

/* The name that the method is called by. */
static const char *called_name(mrb_state *mrb)
{
	return ruby_name(&ruby_of(mrb)->rb, mrb_get_mid(mrb));
}

static mrb_value differs_always(mrb_state *mrb, mrb_value self)
{
	const char *name = called_name(mrb);
	(void)self;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (!strcmp(refusals[i].name, name))
			differs(mrb, refusals[i].hint, "%s", refusals[i].text);
	differs(mrb, "write it without", "`%s` is not in mruby", name);
}

static mrb_value frozen_text(mrb_state *mrb, mrb_value self)
{
	const char *name = called_name(mrb);
	(void)self;
	differs(mrb, "leave the comment out, or make a new String: a + b",
	        "`%s` of a String in a file with `frozen_string_literal: true`, which mruby does not know", name);
}

void differences_frozen(struct interpreter *rb)
{
	static const char *const changing[] = {"<<", "concat", "prepend", "replace", "insert", "[]=", "slice!", "clear",
		"upcase!", "downcase!", "capitalize!", "swapcase!", "reverse!", "strip!", "lstrip!", "rstrip!", "chomp!", "chop!",
		"squeeze!", "sub!", "gsub!", "tr!", "tr_s!", "delete!", "succ!", "next!", "setbyte", "frozen?"};
	for (size_t i = 0; i < sizeof changing / sizeof *changing; i++)
		mrb_define_method(rb->mrb, rb->mrb->string_class, changing[i], frozen_text, MRB_ARGS_ANY());
}

/* Keywords alone: a Hash as the first value in Ruby 3.1, each a value of its own since 3.2. */
static mrb_value struct_initialize(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	mrb_int n;
	mrb_get_args(mrb, "*", &args, &n);
	if (n == 1 && mrb_hash_p(args[0]))
		differs(mrb, "give the values in their order: Pair.new(1, 2)",
		        "a Struct made of keywords or of one Hash, which means another thing since Ruby 3.2");
	return difference_before(mrb, self, "initialize");
}

/* ---- the whole -------------------------------------------------------------------------------------- */

static mrb_value math_function(mrb_state *mrb, mrb_value self)
{
	const char *name = called_name(mrb);
	(void)self;
	differs(mrb, "use Integers", "Math.%s: mruby holds Floats with fewer digits than Ruby", name);
}

static const char *const inexact_math[] = {"sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh",
	"acosh", "atanh", "exp", "log", "log2", "log10", "sqrt", "cbrt", "frexp", "ldexp", "hypot", "erf", "erfc"};

static void remove_constant(mrb_state *mrb, mrb_value in, const char *name)
{
	if (mrb_const_defined_at(mrb, in, mrb_intern_cstr(mrb, name)))
		mrb_const_remove(mrb, in, mrb_intern_cstr(mrb, name));
}

void differences_define(struct interpreter *rb)
{
	static const struct replacement kernel[] = {{"respond_to?", kernel_respond_to}, {NULL, NULL}};
	static const struct replacement structs[] = {{"initialize", struct_initialize}, {NULL, NULL}};
	mrb_state *mrb = rb->mrb;
	mrb_value top = mrb_top_self(mrb), object = mrb_obj_value(mrb->object_class);
	differences_text(mrb);
	differences_numbers(mrb);
	difference_replace(mrb, mrb->kernel_module, kernel);
	difference_replace(mrb, mrb_class_get(mrb, "Struct"), structs);
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		mrb_define_method(mrb, !strcmp(refusals[i].class, "Kernel") ? mrb->kernel_module : mrb_class_get(mrb, refusals[i].class),
		                  refusals[i].name, differs_always, MRB_ARGS_ANY());
	mrb_define_singleton_method(mrb, mrb_obj_ptr(top), "private", differs_always, MRB_ARGS_ANY());
	for (size_t i = 0; i < sizeof inexact_math / sizeof *inexact_math; i++)
		mrb_define_module_function(mrb, mrb_module_get(mrb, "Math"), inexact_math[i], math_function, MRB_ARGS_ANY());
	for (size_t i = 0; absent_constants[i]; i++)
		remove_constant(mrb, object, absent_constants[i]);
	remove_constant(mrb, mrb_obj_value(mrb_module_get(mrb, "Math")), "PI");
	remove_constant(mrb, mrb_obj_value(mrb_module_get(mrb, "Math")), "E");
	remove_constant(mrb, mrb_obj_value(mrb->float_class), "MAX");
	remove_constant(mrb, mrb_obj_value(mrb->float_class), "NAN");
}
