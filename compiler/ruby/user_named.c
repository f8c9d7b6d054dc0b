/*
 * user_named.c - which map an object is, and what the file calls it.
 */
#include "compiler/ruby/user.h"

int64_t user_map_number(const struct user *u, mrb_value v)
{
	const struct raw_said *raw = &u->ruby.said.raw;
	for (size_t i = 0; i < raw->nobjects; i++)
		if (mrb_obj_eq(u->ruby.rb.mrb, raw->objects[i], v))
			return (int64_t)i;
	return -1;
}

const char *user_map_name(struct user *u, uint32_t map)
{
	static const char *const kinds[] = {"a table", "a percpu", "an array", "a histogram", "a ring", "a map"};
	const struct raw_said *raw = &u->ruby.said.raw;
	mrb_state *mrb = u->ruby.rb.mrb;
	mrb_value object = mrb_obj_value(mrb->object_class), names = mrb_funcall(mrb, object, "constants", 0);
	for (mrb_int i = 0; i < RARRAY_LEN(names); i++) {
		mrb_sym name = mrb_symbol(RARRAY_PTR(names)[i]);
		if (mrb_obj_eq(mrb, mrb_const_get(mrb, object, name), raw->objects[map]))
			return mrb_sym_name(mrb, name);
	}
	return kinds[raw->maps[map].kind];
}
