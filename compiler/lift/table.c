/*
 * table.c - which C functions of mruby a rule's block may use.
 *
 * What a function means on runtime values stands in the file of its kind, with its line; here
 * are the kinds, and the classes that have no such function.
 */
#include "compiler/lift/methods.h"

#include <string.h>

static const struct method plain_methods[] = {
	CLASS("Module", "==="), PURE("Module", "=="), PURE("Module", "<"), PURE("Module", "<="),
	PURE("Module", ">"), PURE("Module", ">="), PURE("Module", "name"), PURE("Module", "to_s"),
	PURE("Module", "const_get"), PURE("Module", "const_defined?"), PURE("Module", "method_defined?"),
	CLASS("NilClass", "nil?"), PURE("NilClass", "&"), PURE("NilClass", "|"), PURE("NilClass", "to_s"),
	PURE("NilClass", "to_a"), PURE("NilClass", "to_i"), PURE("NilClass", "inspect"),
	PURE("TrueClass", "&"), PURE("TrueClass", "|"), PURE("TrueClass", "^"), PURE("TrueClass", "to_s"),
	PURE("FalseClass", "&"), PURE("FalseClass", "|"), PURE("FalseClass", "^"),
	PURE("FalseClass", "to_s"),
	PURE("Symbol", "to_s"), PURE("Symbol", "to_sym"), PURE("Symbol", "name"), PURE("Symbol", "=="),
	PURE("Symbol", "length"), PURE("Symbol", "size"), PURE("Symbol", "inspect"),
	PURE("Symbol", "empty?"), PURE("Proc", "arity"), PURE("Proc", "lambda?"),
	METHODS_END,
};

/* Where several methods are one C function, the first line counts. */
static const struct method *const kinds[] = {
	common_methods, object_methods, plain_methods, number_methods,
	string_methods, array_methods, hash_methods, range_methods,
};

static void learn_all(struct methods *m, mrb_state *mrb, const struct method *list)
{
	const char *name = "";
	struct RClass *class = NULL;
	for (const struct method *x = list; x->name; x++) {
		if (strcmp(x->class, name)) /* most follow one of the same class */
			class = mrb_class_defined(mrb, x->class) ? mrb_class_get(mrb, x->class) : NULL;
		name = x->class;
		if (class)
			methods_learn(m, mrb, class, x);
	}
}

/* attr_reader, attr_writer and Struct make C functions of their own for each class. */
static void learn_readers(struct methods *m, mrb_state *mrb)
{
	static const struct method member = PURE("Object", "probe");
	struct RClass *class = mrb_class_new(mrb, mrb->object_class);
	mrb_funcall(mrb, mrb_obj_value(class), "attr_accessor", 1,
	            mrb_symbol_value(mrb_intern_lit(mrb, "probe")));
	for (const struct method *x = attribute_methods; x->name; x++)
		methods_learn(m, mrb, class, x);
	mrb_value made = mrb_funcall(mrb, mrb_obj_value(mrb_class_get(mrb, "Struct")), "new", 1,
	                             mrb_symbol_value(mrb_intern_lit(mrb, "probe")));
	if (mrb_type(made) == MRB_TT_CLASS)
		methods_learn(m, mrb, mrb_class_ptr(made), &member);
}

struct methods *methods_new(struct interpreter *rb)
{
	struct methods *m = methods_empty(rb->arena);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		learn_all(m, rb->mrb, kinds[i]);
	learn_readers(m, rb->mrb);
	return m;
}
