/*
 * user_maps.c - the maps of a program as objects of its handlers: like Hashes that the kernel keeps.
 *
 * The words that make them are those of the compilation (dsl_raw.c), so a map has the same number and layout here as
 * in the program. What a method needs of the kernel is asked by struct user_calls: once a call, and what it does with
 * the answer is Ruby (user_prelude.rb, compiled when the tool is built). The classes have no name that a file can say.
 */
#include "compiler/ruby/dsl.h"
#include "compiler/ruby/user.h"
#include "policy/histogram.h"
#include "policy/raw_record.h"

#include <string.h>

#include "compiler/ruby/user_prelude.inc"

/* ---- which map ------------------------------------------------------------------------ */

/* A map as it is used by a method. */
struct used {
	mrb_state *mrb;
	struct user *user;
	uint32_t number;
	const struct raw_map *map;
};

static struct used used_by(mrb_state *mrb, mrb_value self)
{
	struct user *u = user_of(mrb);
	int64_t number = user_map_number(u, self);
	if (number < 0)
		mrb_raise(mrb, E_TYPE_ERROR, "a copy is no map: use the map itself");
	if (u->ruby.said.running)
		mrb_raise(mrb, E_RUNTIME_ERROR, "a map is empty while the file runs: use it in a handler");
	return (struct used){mrb, u, (uint32_t)number, &u->ruby.said.raw.maps[number]};
}

static void __attribute__((noreturn)) failed(const struct used *u, const char *what, const char *why)
{
	mrb_state *mrb = u->mrb;
	mrb_raisef(mrb, E_RUNTIME_ERROR, "%s cannot be %s: %s", user_map_name(u->user, u->number), what, why ? why : "no reason is known");
}

/* ---- bytes to values -------------------------------------------------------------------- */

/* One field is a value, several are an Array. */
static mrb_value record_value(mrb_state *mrb, const struct raw_record *r, const void *bytes)
{
	if (r->n == 1)
		return user_field_value(mrb, &r->fields[0], bytes);
	mrb_value list = mrb_ary_new_capa(mrb, (mrb_int)r->n);
	for (size_t i = 0; i < r->n; i++)
		mrb_ary_push(mrb, list, user_field_value(mrb, &r->fields[i], bytes));
	return list;
}

/* ---- values to bytes -------------------------------------------------------------------- */

/* False: the field cannot hold it. */
static bool put_field(const struct raw_field *f, mrb_value v, void *record)
{
	int64_t lo, hi;
	if (raw_is_text(f))
		return mrb_string_p(v) && raw_put_text(f, record, RSTRING_PTR(v), (size_t)RSTRING_LEN(v));
	raw_bounds(f, &lo, &hi);
	if (!mrb_integer_p(v) || mrb_integer(v) < lo || mrb_integer(v) > hi)
		return false;
	raw_put_number(f, record, mrb_integer(v));
	return true;
}

static bool put_record(const struct raw_record *r, mrb_value v, unsigned char bytes[RAW_RECORD_MAX])
{
	memset(bytes, 0, RAW_RECORD_MAX);
	if (r->n == 1)
		return put_field(&r->fields[0], v, bytes);
	if (!mrb_array_p(v) || (size_t)RARRAY_LEN(v) != r->n)
		return false;
	for (size_t i = 0; i < r->n; i++)
		if (!put_field(&r->fields[i], RARRAY_PTR(v)[i], bytes))
			return false;
	return true;
}

/* ---- read ------------------------------------------------------------------------------- */

typedef int reader(void *self, uint32_t map, const void *key, size_t nkey, struct user_entries *out, const char **why);

/* An answer that is about this map. */
static struct user_entries ask(const struct used *u, bool each_cpu, const void *key)
{
	const struct user_calls *calls = &u->user->calls;
	reader *read = each_cpu && calls->read_cpus ? calls->read_cpus : calls->read_map;
	struct user_entries e = {0};
	const char *why = NULL;
	if (!read || read(calls->self, u->number, key, key ? u->map->key.size : 0, &e, &why))
		failed(u, "read", why);
	bool sum = u->map->kind == RAW_PERCPU && e.cpus == 1 && e.value_size == 8 && !each_cpu;
	if (e.n && (e.key_size != u->map->key.size || !e.cpus || (!sum && e.value_size != u->map->value.size)))
		failed(u, "read", "the answer is not about this map");
	return e;
}

static size_t entry_size(const struct user_entries *e)
{
	return (size_t)e->key_size + (size_t)e->cpus * e->value_size;
}

/* The value behind a key; of CPUs: their sum. */
static mrb_value entry_value(const struct used *u, const struct user_entries *e, const unsigned char *values)
{
	static const struct raw_field whole = {.size = 8};
	const struct raw_field *f = u->map->value.size == e->value_size ? &u->map->value.fields[0] : &whole;
	uint64_t sum = 0;
	if (u->map->kind != RAW_PERCPU)
		return record_value(u->mrb, &u->map->value, values);
	for (uint32_t i = 0; i < e->cpus; i++)
		sum += (uint64_t)raw_number(f, values + (size_t)i * e->value_size);
	return mrb_int_value(u->mrb, (mrb_int)sum);
}

static mrb_value entry_cpus(const struct used *u, const struct user_entries *e, const unsigned char *values)
{
	mrb_value list = mrb_ary_new_capa(u->mrb, e->cpus);
	for (uint32_t i = 0; i < e->cpus; i++)
		mrb_ary_push(u->mrb, list, record_value(u->mrb, &u->map->value, values + (size_t)i * e->value_size));
	return list;
}

static mrb_value read_all(mrb_state *mrb, mrb_value self, bool each_cpu)
{
	mrb_get_args(mrb, "");
	struct used u = used_by(mrb, self);
	struct user_entries e = ask(&u, each_cpu, NULL);
	mrb_value all = mrb_hash_new_capa(mrb, e.n);
	const unsigned char *at = e.bytes;
	for (uint32_t i = 0; i < e.n; i++, at += entry_size(&e)) {
		int ai = mrb_gc_arena_save(mrb);
		mrb_value key = record_value(mrb, &u.map->key, at);
		mrb_hash_set(mrb, all, key, (each_cpu ? entry_cpus : entry_value)(&u, &e, at + e.key_size));
		mrb_gc_arena_restore(mrb, ai);
	}
	return all;
}

static mrb_value map_read(mrb_state *mrb, mrb_value self)
{
	return read_all(mrb, self, false);
}

static mrb_value map_read_cpus(mrb_state *mrb, mrb_value self)
{
	return read_all(mrb, self, true);
}

/* A key: one argument, or its fields. */
static mrb_value given_key(mrb_state *mrb, const mrb_value *args, mrb_int n)
{
	if (n < 1)
		mrb_raise(mrb, E_ARGUMENT_ERROR, "wrong number of arguments (given 0, expected 1)");
	return n == 1 ? args[0] : mrb_ary_new_from_values(mrb, n, args);
}

/* What a key cannot be is in no map. */
static bool read_key(const struct used *u, mrb_value key, struct user_entries *e)
{
	unsigned char bytes[RAW_RECORD_MAX];
	if (!put_record(&u->map->key, key, bytes))
		return false;
	*e = ask(u, false, bytes);
	return e->n;
}

static mrb_value map_get(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	struct user_entries e;
	mrb_int n;
	mrb_get_args(mrb, "*", &args, &n);
	struct used u = used_by(mrb, self);
	return read_key(&u, given_key(mrb, args, n), &e) ? entry_value(&u, &e, e.bytes + e.key_size) : mrb_nil_value();
}

static mrb_value map_has(mrb_state *mrb, mrb_value self)
{
	struct user_entries e;
	mrb_value key;
	mrb_get_args(mrb, "o", &key);
	struct used u = used_by(mrb, self);
	return mrb_bool_value(read_key(&u, key, &e));
}

/* ---- changed ------------------------------------------------------------------------------ */

static void change(const struct used *u, const unsigned char *key, const unsigned char *value, const char *what)
{
	const struct user_calls *calls = &u->user->calls;
	const char *why = NULL;
	if (!calls->change_map)
		failed(u, what, "maps are only read here");
	if (calls->change_map(calls->self, u->number, key, u->map->key.size, value, value ? u->map->value.size : 0, &why))
		failed(u, what, why);
}

static void __attribute__((noreturn)) does_not_fit(const struct used *u, const char *what, mrb_value v)
{
	mrb_state *mrb = u->mrb;
	mrb_value text = mrb_inspect(mrb, v);
	mrb_raisef(mrb, E_RANGE_ERROR, "%s: %v cannot be %s of it", user_map_name(u->user, u->number), text, what);
}

static mrb_value map_set(mrb_state *mrb, mrb_value self)
{
	unsigned char key[RAW_RECORD_MAX], value[RAW_RECORD_MAX];
	const mrb_value *args;
	mrb_int n;
	mrb_get_args(mrb, "*", &args, &n);
	struct used u = used_by(mrb, self);
	mrb_value k = given_key(mrb, args, n - 1), v = args[n - 1];
	if (!put_record(&u.map->key, k, key))
		does_not_fit(&u, "a key", k);
	if (u.map->kind != RAW_TABLE && (uint64_t)raw_number(&u.map->key.fields[0], key) >= u.map->entries)
		does_not_fit(&u, "a key", k);
	if (!put_record(&u.map->value, v, value))
		does_not_fit(&u, "a value", v);
	change(&u, key, value, "changed");
	return v;
}

/* What was there, or nil. */
static mrb_value map_delete(mrb_state *mrb, mrb_value self)
{
	unsigned char bytes[RAW_RECORD_MAX];
	struct user_entries e;
	mrb_value key;
	mrb_get_args(mrb, "o", &key);
	struct used u = used_by(mrb, self);
	if (!read_key(&u, key, &e))
		return mrb_nil_value();
	mrb_value was = entry_value(&u, &e, e.bytes + e.key_size);
	put_record(&u.map->key, key, bytes);
	change(&u, bytes, NULL, "changed");
	return was;
}

static mrb_value map_clear(mrb_state *mrb, mrb_value self)
{
	mrb_get_args(mrb, "");
	struct used u = used_by(mrb, self);
	const char *why = NULL;
	if (!u.user->calls.clear_map)
		failed(&u, "cleared", "maps are only read here");
	if (u.user->calls.clear_map(u.user->calls.self, u.number, &why))
		failed(&u, "cleared", why);
	return self;
}

/* ---- printed ------------------------------------------------------------------------------ */

static void print(const struct used *u, const char *label, bool linear, bool strip)
{
	struct user_entries e = ask(u, false, NULL);
	struct arena *a = arena_scratch(u->user->ruby.rb.arena);
	uint64_t *counts = arena_alloc(a, u->map->entries * sizeof *counts);
	for (uint32_t i = 0; i < e.n; i++) {
		const unsigned char *at = e.bytes + i * entry_size(&e);
		uint64_t slot = (uint64_t)raw_number(&u->map->key.fields[0], at);
		if (slot < u->map->entries)
			counts[slot] = (uint64_t)raw_number(&u->map->value.fields[0], at + e.key_size);
	}
	const char *text = linear ? histogram_linear(a, counts, u->map->entries, label)
	                          : histogram_text(a, counts, u->map->entries, label, strip);
	if (*text)
		u->user->calls.print(u->user->calls.self, text, strlen(text));
	arena_free(a);
}

static mrb_value map_print(mrb_state *mrb, mrb_value self)
{
	const char *label;
	mrb_bool strip;
	mrb_get_args(mrb, "zb", &label, &strip);
	struct used u = used_by(mrb, self);
	print(&u, label, false, strip);
	return mrb_nil_value();
}

static mrb_value map_print_linear(mrb_state *mrb, mrb_value self)
{
	const char *label;
	mrb_get_args(mrb, "z", &label);
	struct used u = used_by(mrb, self);
	print(&u, label, true, false);
	return mrb_nil_value();
}

bool user_map_is_ring(struct user *u, mrb_value v, uint32_t *map)
{
	int64_t number = user_map_number(u, v);
	if (number < 0 || u->ruby.said.raw.maps[number].kind != RAW_RING)
		return false;
	*map = (uint32_t)number;
	return true;
}

static mrb_value ring_name(mrb_state *mrb, mrb_value self)
{
	int64_t map = user_map_number(user_of(mrb), self);
	mrb_get_args(mrb, "");
	return mrb_str_new_cstr(mrb, map < 0 ? "a copy" : user_map_name(user_of(mrb), (uint32_t)map));
}

/* ---- defined ------------------------------------------------------------------------------ */

/* A class that handlers do not make objects of; it keeps no name. */
static struct RClass *take_class(mrb_state *mrb, const char *name)
{
	struct RClass *c = mrb_class_get(mrb, name);
	mrb_undef_class_method(mrb, c, "new");
	mrb_gc_register(mrb, mrb_obj_value(c));
	mrb_const_remove(mrb, mrb_obj_value(mrb->object_class), mrb_intern_cstr(mrb, name));
	return c;
}

struct method { const char *class, *name; mrb_func_t fn; };

/* Before the prelude runs, which makes aliases of some. */
static void define_methods(mrb_state *mrb)
{
	static const struct method methods[] = {
		{"KernelMap", "[]", map_get}, {"KernelMap", "key?", map_has}, {"KernelMap", "__read", map_read},
		{"KernelMap", "clear", map_clear}, {"KernelTable", "[]=", map_set}, {"KernelTable", "delete", map_delete},
		{"KernelPercpu", "delete", map_delete}, {"KernelPercpu", "__read_cpus", map_read_cpus},
		{"KernelArray", "[]=", map_set}, {"KernelArray", "__print_linear", map_print_linear},
		{"KernelHistogram", "__print", map_print}, {"KernelRing", "__name", ring_name},
	};
	struct RClass *map = mrb_define_class(mrb, "KernelMap", mrb->object_class);
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		const char *name = methods[i].class;
		bool below = strcmp(name, "KernelRing") && strcmp(name, "KernelMap");
		struct RClass *c = mrb_define_class(mrb, name, below ? map : mrb->object_class);
		mrb_define_method(mrb, c, methods[i].name, methods[i].fn, MRB_ARGS_ANY());
	}
}

void user_maps_define(struct user *u)
{
	mrb_state *mrb = u->ruby.rb.mrb;
	struct raw_said *raw = &u->ruby.said.raw;
	user_text_define(u);
	dsl_raw_define(&u->ruby); /* the words; what their maps can do comes next */
	define_methods(mrb);
	user_records_define(u);
	mrb_load_irep_buf(mrb, user_prelude, sizeof user_prelude);
	if (mrb->exc) {
		mrb_value exc = mrb_obj_value(mrb->exc);
		mrb->exc = NULL;
		mrb_exc_raise(mrb, exc);
	}
	raw->map_class[RAW_TABLE] = take_class(mrb, "KernelTable");
	raw->map_class[RAW_PERCPU] = take_class(mrb, "KernelPercpu");
	raw->map_class[RAW_ARRAY] = take_class(mrb, "KernelArray");
	raw->map_class[RAW_HISTOGRAM] = take_class(mrb, "KernelHistogram");
	raw->map_class[RAW_RING] = take_class(mrb, "KernelRing");
	take_class(mrb, "KernelMap");
	take_class(mrb, "KernelRecord");
}
