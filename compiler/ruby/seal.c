/*
 * seal.c - what is taken out of the interpreter before a policy runs in it.
 *
 * A policy keeps Ruby's library, but nothing in it by which it could get hold of
 * the interpreter: no addresses, no object that was not initialized, and the words
 * of the policy language stay what they are. A function is replaced where it is
 * defined, so an alias of it is guarded too.
 */
#include "compiler/ruby/ruby.h"

#include <string.h>

/* ---- the words of the language ---------------------------------------------------------- */

static const char *const verbs[] = {"policy", "default", "allow", "deny", "never", "always", "param", "mode", "grants",
                                    "audit", "set", "license!", "section!", "load", "require_relative",
                                    "table", "array", "percpu", "histogram", "ring", "on", "every", "at_exit"};
/* What Ruby calls by itself. */
static const struct { const char *name, *hint; } hooks[] = {
	{"method_missing", "define the methods themselves: a misspelt rule would be lost in it"},
	{"method_added", "leave it out"},
	{"singleton_method_added", "leave it out"},
};

const char *seal_reserved(const char *name)
{
	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
		if (!strcmp(hooks[i].name, name))
			return hooks[i].hint;
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (!strcmp(verbs[i], name))
			return "it is a word of the policy language: choose another name";
	return NULL;
}

static void refuse_reserved(mrb_state *mrb, mrb_value name, const char *what)
{
	if (!mrb_symbol_p(name) && !mrb_string_p(name))
		return;
	const char *text = ruby_name(&ruby_of(mrb)->rb, mrb_obj_to_sym(mrb, name)), *hint = seal_reserved(text);
	if (hint)
		dsl_fail(mrb, hint, "`%s` is %s", text, what);
}

/* Module#method_added, BasicObject#singleton_method_added: of def, define_method and alias. */
static mrb_value method_added(mrb_state *mrb, mrb_value self)
{
	mrb_value name;
	(void)self;
	mrb_get_args(mrb, "o", &name);
	refuse_reserved(mrb, name, "defined anew");
	return mrb_nil_value();
}

/* ---- functions with something asked before ------------------------------------------------- */

/* mruby's own function behind each guard. */
enum guarded { G_ATTR, G_ATTR_READER, G_ATTR_WRITER, G_ATTR_ACCESSOR, G_UNDEF_METHOD, G_REMOVE_METHOD,
               G_STRUCT_NEW, G_DUP, G_CLONE, G_ALLOCATE, G_CONST_SET, G_REMOVE_CONST, GUARDED };

struct seal {
	mrb_func_t original[GUARDED];
	mrb_value constants; /* of the library: names and values by turns */
	mrb_value numbers;   /* of objects, by address: what Object#hash says */
};

static mrb_value go_on(mrb_state *mrb, mrb_value self, enum guarded which)
{
	return ruby_of(mrb)->seal->original[which](mrb, self);
}

static mrb_value named(mrb_state *mrb, mrb_value self, enum guarded which)
{
	const mrb_value *args;
	mrb_int n;
	mrb_get_args(mrb, "*", &args, &n);
	for (mrb_int i = 0; i < n; i++)
		refuse_reserved(mrb, args[i],
		                which == G_UNDEF_METHOD || which == G_REMOVE_METHOD ? "taken away" : "defined anew");
	return go_on(mrb, self, which);
}

/* The library's constants stay: the interpreter finds its classes by them. */
bool seal_is_constant(const struct ruby *ruby, mrb_sym name)
{
	mrb_value list = ruby->seal->constants;
	for (mrb_int i = 0; i < RARRAY_LEN(list); i += 2)
		if (mrb_symbol(RARRAY_PTR(list)[i]) == name)
			return true;
	return false;
}

static mrb_value constant(mrb_state *mrb, mrb_value self, enum guarded which)
{
	const mrb_value *args;
	mrb_int n;
	mrb_get_args(mrb, "*", &args, &n);
	mrb_sym name = n && (mrb_symbol_p(args[0]) || mrb_string_p(args[0])) ? mrb_obj_to_sym(mrb, args[0]) : 0;
	if (mrb_type(self) == MRB_TT_CLASS && mrb_class_ptr(self) == mrb->object_class &&
	    seal_is_constant(ruby_of(mrb), name))
		dsl_fail(mrb, SEAL_CONSTANT_HINT, SEAL_CONSTANT, ruby_name(&ruby_of(mrb)->rb, name));
	return go_on(mrb, self, which);
}

bool seal_constants_kept(struct ruby *ruby, const char **name)
{
	mrb_state *mrb = ruby->rb.mrb;
	mrb_value list = ruby->seal->constants, object = mrb_obj_value(mrb->object_class);
	for (mrb_int i = 0; i < RARRAY_LEN(list); i += 2) {
		mrb_sym sym = mrb_symbol(RARRAY_PTR(list)[i]);
		if (mrb_const_defined_at(mrb, object, sym) &&
		    mrb_obj_eq(mrb, mrb_const_get(mrb, object, sym), RARRAY_PTR(list)[i + 1]))
			continue;
		*name = ruby_name(&ruby->rb, sym);
		return false;
	}
	return true;
}

void seal_constants(struct ruby *ruby)
{
	mrb_state *mrb = ruby->rb.mrb;
	mrb_value object = mrb_obj_value(mrb->object_class), names = mrb_funcall(mrb, object, "constants", 0);
	mrb_value list = ruby->seal->constants = mrb_ary_new(mrb);
	mrb_gc_register(mrb, list);
	for (mrb_int i = 0; i < RARRAY_LEN(names); i++) {
		mrb_value name = RARRAY_PTR(names)[i];
		mrb_ary_push(mrb, list, name);
		mrb_ary_push(mrb, list, mrb_const_get(mrb, object, mrb_symbol(name)));
	}
}

/* The Ruby code that called this function; NULL: none did. */
static const mrb_irep *caller_of(mrb_state *mrb)
{
	const mrb_callinfo *ci = mrb->c->ci;
	const struct RProc *caller = ci > mrb->c->cibase ? ci[-1].proc : NULL;
	return caller && !MRB_PROC_CFUNC_P(caller) ? caller->body.irep : NULL;
}

/* What has code or a stack of its own is not copied. */
static mrb_value copied(mrb_state *mrb, mrb_value self, enum guarded which)
{
	enum mrb_vtype type = mrb_type(self);
	if (type == MRB_TT_PROC || type == MRB_TT_FIBER || type == MRB_TT_ENV)
		dsl_fail(mrb, "use the object itself", "a copy of a %s", mrb_obj_classname(mrb, self));
	return go_on(mrb, self, which);
}

/* Class#new alone calls it, and initializes what it made. A String whose class has an
 * `initialize` of its own that does nothing is empty, and not without bytes. */
static mrb_value allocated(mrb_state *mrb, mrb_value self, enum guarded which)
{
	const mrb_irep *caller = caller_of(mrb);
	if (!caller || caller != ruby_of(mrb)->rb.class_new)
		dsl_fail(mrb, "make it by `new`", "an object that is not initialized (`allocate`)");
	mrb_value made = go_on(mrb, self, which);
	if (mrb_string_p(made)) {
		RSTR_SET_EMBED_FLAG(mrb_str_ptr(made));
		RSTR_SET_EMBED_LEN(mrb_str_ptr(made), 0);
	}
	return made;
}

/* What this mruby has and 3.1 has not. */
static void remove_newer(mrb_state *mrb)
{
#define NEWER(class, name) {class, name},
	static const struct { const char *class, *name; } newer[] = {MRUBY_NEWER_METHODS(NEWER) {NULL, NULL}};
	for (size_t i = 0; newer[i].name; i++) {
		mrb_value in = mrb_const_get(mrb, mrb_obj_value(mrb->object_class), mrb_intern_cstr(mrb, newer[i].class));
		struct RClass *c = mrb_class_ptr(in), *owner = c;
		mrb_sym name = mrb_intern_cstr(mrb, newer[i].name);
		if (!MRB_METHOD_UNDEF_P(mruby_method(mrb, &owner, name)) && owner == c)
			mrb_remove_method(mrb, c, name);
	}
}

/* Is the code that called this function a policy's, and not the library's? */
static bool policy_calls(mrb_state *mrb)
{
	const mrb_irep *caller = caller_of(mrb);
	return caller && ruby_source(&ruby_of(mrb)->rb, mrb_debug_get_filename(mrb, caller, 0));
}

#define GUARDS(X)                                                                                  \
	X("Module", "attr", G_ATTR, named) X("Module", "attr_reader", G_ATTR_READER, named)        \
	X("Module", "attr_writer", G_ATTR_WRITER, named)                                           \
	X("Module", "attr_accessor", G_ATTR_ACCESSOR, named)                                       \
	X("Module", "undef_method", G_UNDEF_METHOD, named)                                         \
	X("Module", "remove_method", G_REMOVE_METHOD, named)                                       \
	X("Kernel", "dup", G_DUP, copied) X("Kernel", "clone", G_CLONE, copied)                    \
	X("Class", "allocate", G_ALLOCATE, allocated)                                              \
	X("Module", "const_set", G_CONST_SET, constant)                                            \
	X("Module", "remove_const", G_REMOVE_CONST, constant)

#define DEFINE(class, name, which, how)                                                            \
	static mrb_value guard_##which(mrb_state *mrb, mrb_value self) { return how(mrb, self, which); }
GUARDS(DEFINE)

static mrb_value guard_struct_new(mrb_state *mrb, mrb_value self)
{
	return named(mrb, self, G_STRUCT_NEW);
}

static void guard(mrb_state *mrb, struct RClass *class, const char *name, enum guarded which, mrb_func_t fn)
{
	mrb_sym mid = mrb_intern_cstr(mrb, name);
	struct RClass *owner = class;
	mrb_method_t m = mruby_method(mrb, &owner, mid);
	if (MRB_METHOD_UNDEF_P(m) || !MRB_METHOD_CFUNC_P(m))
		return; /* not in this mruby */
	ruby_of(mrb)->seal->original[which] = MRB_METHOD_CFUNC(m);
	mrb_define_method_id(mrb, class, mid, fn, MRB_ARGS_ANY());
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* The linker gives this to mruby for mrb_ptr_to_str(): "#<Object:...>". */
mrb_value __wrap_mrb_ptr_to_str(mrb_state *mrb, void *p);
mrb_value __wrap_mrb_ptr_to_str(mrb_state *mrb, void *p)
{
	(void)p;
	return mrb_str_new_lit(mrb, "...");
}

/* What mruby makes of an address: a number in the order of asking. An object that is
 * gone may have left its number to one that came after it. */
static mrb_value number_of(mrb_state *mrb, mrb_value v)
{
	mrb_value numbers = ruby_of(mrb)->seal->numbers;
	if (mrb_immediate_p(v) || mrb_type(v) == MRB_TT_INTEGER || mrb_type(v) == MRB_TT_FLOAT)
		return mrb_int_value(mrb, mrb_obj_id(v)); /* by value */
	mrb_value at = mrb_int_value(mrb, (mrb_int)((uintptr_t)mrb_ptr(v) >> 3));
	mrb_value had = mrb_hash_get(mrb, numbers, at);
	if (mrb_integer_p(had))
		return had;
	had = mrb_int_value(mrb, mrb_hash_size(mrb, numbers) + 1);
	mrb_hash_set(mrb, numbers, at, had);
	return had;
}

static mrb_value object_hash(mrb_state *mrb, mrb_value self)
{
	mrb_get_args(mrb, "");
	return number_of(mrb, self);
}

/* mruby's library asks for it, to see that an array is inside itself. */
static mrb_value object_id(mrb_state *mrb, mrb_value self)
{
	mrb_get_args(mrb, "");
	if (policy_calls(mrb))
		dsl_fail(mrb, "identity is not a value: compare with ==", "`object_id` in a policy");
	return number_of(mrb, self);
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static void remove_constant(mrb_state *mrb, const char *name)
{
	mrb_sym constant = mrb_intern_cstr(mrb, name);
	if (mrb_const_defined(mrb, mrb_obj_value(mrb->object_class), constant))
		mrb_const_remove(mrb, mrb_obj_value(mrb->object_class), constant);
}

void seal_library(struct ruby *ruby)
{
	mrb_state *mrb = ruby->rb.mrb;
	struct RClass *owner = mrb->class_class;
	struct seal *seal = ruby->seal = arena_alloc(ruby->rb.arena, sizeof *seal);
	mrb_method_t new = mruby_method(mrb, &owner, mrb_intern_lit(mrb, "new"));
	if (!MRB_METHOD_UNDEF_P(new) && !MRB_METHOD_CFUNC_P(new))
		ruby->rb.class_new = MRB_METHOD_PROC(new)->body.irep;
#define GUARD(class, name, which, how)                                                             \
	guard(mrb, !strcmp(class, "Kernel") ? mrb->kernel_module : mrb_class_get(mrb, class), name, which, guard_##which);
	GUARDS(GUARD)
	remove_newer(mrb);
	struct RClass *structs = mrb_class_get(mrb, "Struct");
	guard(mrb, mrb_singleton_class_ptr(mrb, mrb_obj_value(structs)), "new", G_STRUCT_NEW, guard_struct_new);
	mrb_define_method(mrb, mrb->kernel_module, "hash", object_hash, MRB_ARGS_NONE());
	mrb_define_method(mrb, mrb->module_class, "method_added", method_added, MRB_ARGS_REQ(1));
	mrb_define_method(mrb, mrb_class_get(mrb, "BasicObject"), "singleton_method_added", method_added,
	                  MRB_ARGS_REQ(1));
	seal->numbers = mrb_hash_new(mrb);
	mrb_gc_register(mrb, seal->numbers);
	mrb_define_method(mrb, mrb->kernel_module, "object_id", object_id, MRB_ARGS_NONE());
	mrb_define_method(mrb, mrb_class_get(mrb, "BasicObject"), "__id__", object_id, MRB_ARGS_NONE());
	mrb_undef_method_id(mrb, mrb->eException_class, mrb_intern_lit(mrb, "set_backtrace")); /* it hides the line */
	remove_constant(mrb, "GC");
}
