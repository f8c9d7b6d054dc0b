/*
 * user_record.c - what a ring's handler is given: an object with a method for each field.
 *
 * Each ring has a class of its own, made when its first record comes. A record has values of its own, so that a handler
 * may keep it.
 */
#include "compiler/ruby/user.h"
#include "policy/raw_record.h"

struct user_records {
	struct RClass *record;                /* above those of the rings */
	struct RClass *of_ring[RAW_MAPS_MAX]; /* NULL: none came so far */
};

mrb_value user_field_value(mrb_state *mrb, const struct raw_field *f, const void *record)
{
	const char *text;
	if (!raw_is_text(f))
		return mrb_int_value(mrb, raw_number(f, record));
	size_t n = raw_text(f, record, &text);
	return mrb_str_new(mrb, text, (mrb_int)n);
}

/* Of an event: a text is the name of a process. */
static mrb_value value_shown(mrb_state *mrb, const struct raw_field *f, const void *record)
{
	const char *text;
	size_t n = raw_is_text(f) ? raw_text(f, record, &text) : 0;
	return raw_is_text(f) ? user_name_text(mrb, text, n) : user_field_value(mrb, f, record);
}

#define FIELDS mrb_intern_lit(mrb, "fields") /* no text can say it: it has no @ */

static mrb_value fields_of(mrb_state *mrb, mrb_value self)
{
	mrb_value fields = mrb_iv_get(mrb, self, FIELDS);
	return mrb_hash_p(fields) ? fields : mrb_hash_new(mrb);
}

static mrb_value record_to_h(mrb_state *mrb, mrb_value self)
{
	mrb_get_args(mrb, "");
	return mrb_hash_dup(mrb, fields_of(mrb, self));
}

/* The method of a field. */
static mrb_value record_field(mrb_state *mrb, mrb_value self)
{
	mrb_get_args(mrb, "");
	return mrb_hash_get(mrb, fields_of(mrb, self), mrb_proc_cfunc_env_get(mrb, 0));
}

static mrb_value no_field(mrb_state *mrb, mrb_value self, mrb_value name, const char *error)
{
	mrb_value has = mrb_ary_join(mrb, mrb_hash_keys(mrb, fields_of(mrb, self)), mrb_str_new_lit(mrb, ", "));
	mrb_raisef(mrb, mrb_class_get(mrb, error), "the record has no field %v: it has %v", name, has);
	return mrb_nil_value();
}

static mrb_value record_get(mrb_state *mrb, mrb_value self)
{
	mrb_value name, fields = fields_of(mrb, self);
	mrb_get_args(mrb, "o", &name);
	if (mrb_string_p(name))
		name = mrb_symbol_value(mrb_intern_str(mrb, name));
	return mrb_hash_key_p(mrb, fields, name) ? mrb_hash_get(mrb, fields, name)
	                                         : no_field(mrb, self, mrb_inspect(mrb, name), "KeyError");
}

static mrb_value record_missing(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	mrb_int n;
	mrb_get_args(mrb, "*", &args, &n);
	return no_field(mrb, self, n ? args[0] : mrb_nil_value(), "NoMethodError");
}

/* A class with a method for each field of a ring. */
static struct RClass *class_of_ring(struct user *u, uint32_t map)
{
	mrb_state *mrb = u->ruby.rb.mrb;
	const struct raw_record *r = &u->ruby.said.raw.maps[map].value;
	struct RClass *c = u->records->of_ring[map];
	if (c)
		return c;
	c = u->records->of_ring[map] = mrb_class_new(mrb, u->records->record);
	mrb_gc_register(mrb, mrb_obj_value(c));
	for (size_t i = 0; i < r->n; i++) {
		mrb_sym name = mrb_intern_cstr(mrb, r->fields[i].name);
		mrb_value env = mrb_symbol_value(name);
		struct RProc *p = mrb_proc_new_cfunc_with_env(mrb, record_field, 1, &env);
		mrb_method_t m;
		MRB_METHOD_FROM_PROC(m, p);
		mrb_define_method_raw(mrb, c, name, m);
	}
	return c;
}

mrb_value user_map_record(struct user *u, uint32_t map, const void *bytes, size_t n)
{
	mrb_state *mrb = u->ruby.rb.mrb;
	const struct raw_record *r = map < u->ruby.said.raw.nmaps ? &u->ruby.said.raw.maps[map].value : NULL;
	if (!r || n != r->size)
		mrb_raise(mrb, E_RUNTIME_ERROR, "a record of another size than the ring has");
	mrb_value fields = mrb_hash_new(mrb);
	for (size_t i = 0; i < r->n; i++)
		mrb_hash_set(mrb, fields, mrb_symbol_value(mrb_intern_cstr(mrb, r->fields[i].name)),
		             value_shown(mrb, &r->fields[i], bytes));
	mrb_value record = mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, class_of_ring(u, map)));
	mrb_iv_set(mrb, record, FIELDS, fields);
	return record;
}

/* Of its ring. */
static mrb_value record_name(mrb_state *mrb, mrb_value self)
{
	struct user *u = user_of(mrb);
	mrb_get_args(mrb, "");
	for (uint32_t i = 0; i < RAW_MAPS_MAX; i++)
		if (u->records->of_ring[i] == mrb_obj_class(mrb, self))
			return mrb_str_new_cstr(mrb, user_map_name(u, i));
	return mrb_str_new_lit(mrb, "a record");
}

void user_records_define(struct user *u)
{
	mrb_state *mrb = u->ruby.rb.mrb;
	struct RClass *c = mrb_define_class(mrb, "KernelRecord", mrb->object_class);
	u->records = arena_alloc(u->ruby.rb.arena, sizeof *u->records);
	u->records->record = c;
	mrb_define_method(mrb, c, "__name", record_name, MRB_ARGS_NONE());
	mrb_define_method(mrb, c, "to_h", record_to_h, MRB_ARGS_NONE());
	mrb_define_method(mrb, c, "[]", record_get, MRB_ARGS_REQ(1));
	mrb_define_method(mrb, c, "method_missing", record_missing, MRB_ARGS_ANY());
}
