/*
 * dsl_raw.c - the words of raw programs: section!, license!, classes whose `attr` have types, maps.
 *
 * What they say is kept in struct raw_said; raw.c makes a program of it when the file has run.
 */
#include "compiler/ruby/dsl.h"
#include "policy/raw_record.h"

#include <ctype.h>
#include <string.h>

/* ---- section!, license! ---------------------------------------------------------------- */

static const struct { const char *prefix; enum raw_section section; int words; } sections[] = {
	{"cgroup/dev", RAW_DEVICE, 0}, {"dev/cgroup", RAW_DEVICE, 0},
	{"kprobe/", RAW_KPROBE, 1}, {"kretprobe/", RAW_KRETPROBE, 1},
	{"tracepoint/", RAW_TRACEPOINT, 2}, {"raw_tracepoint/", RAW_RAW_TRACEPOINT, 1},
};
#define SECTIONS "cgroup/dev, kprobe/FUNCTION, kretprobe/FUNCTION, tracepoint/CATEGORY/EVENT or raw_tracepoint/EVENT"
enum { SECTION_MAX = 100 };

/* Names of functions and events, `words` of them with / between. */
static bool names_something(const char *s, int words)
{
	for (; words; words--) {
		size_t n = 0;
		while (isalnum((unsigned char)s[n]) || s[n] == '_' || s[n] == '.')
			n++;
		if (!n || (words > 1 && s[n] != '/'))
			return false;
		s += n + (words > 1);
	}
	return !*s;
}

static mrb_value dsl_section(mrb_state *mrb, mrb_value self)
{
	struct raw_said *raw = &ruby_of(mrb)->said.raw;
	const char *name = args_text(mrb, args_only(mrb, "section!", "section! \"cgroup/dev\"", NULL), "a section");
	if (raw->section_name)
		dsl_fail(mrb, "a file is one program: make a file of each", "the section is said twice");
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
		size_t n = strlen(sections[i].prefix);
		if (strlen(name) > SECTION_MAX || strncmp(name, sections[i].prefix, n) || !names_something(name + n, sections[i].words))
			continue;
		raw->given = true;
		raw->section = sections[i].section;
		raw->section_name = raw->section == RAW_DEVICE ? "cgroup/dev" : name;
		return self;
	}
	dsl_fail(mrb, "a section is " SECTIONS, "\"%s\" is not a section", name);
}

static mrb_value dsl_license(mrb_state *mrb, mrb_value self)
{
	enum { LICENSE_MAX = 127 };
	struct raw_said *raw = &ruby_of(mrb)->said.raw;
	const char *name = args_text(mrb, args_only(mrb, "license!", "license! \"GPL\"", NULL), "a license");
	if (raw->license)
		dsl_fail(mrb, "keep one of them", "the license is said twice");
	size_t n = strlen(name);
	for (const char *c = name; *c; c++)
		if (!isprint((unsigned char)*c))
			n = 0;
	if (!n || n > LICENSE_MAX)
		dsl_fail(mrb, "for example: license! \"GPL\"", "a license has 1 to %d printable characters", LICENSE_MAX);
	raw->given = true;
	raw->license = name;
	return self;
}

/* ---- attr :major, :u32 ------------------------------------------------------------------ */

static struct layout *layout_of(struct ruby *ruby, struct RClass *class)
{
	struct raw_said *raw = &ruby->said.raw;
	for (size_t i = 0; i < raw->nlayouts; i++)
		if (raw->layouts[i].class == class)
			return &raw->layouts[i];
	struct layout *new = ARENA_PUSH(ruby->rb.arena, raw->layouts, raw->nlayouts, raw->layouts_cap);
	*new = (struct layout){.class = class};
	return new;
}

/* at: where it is, -1: behind the one before. */
static void add_field(mrb_state *mrb, struct layout *to, const char *name, struct raw_field type, mrb_int at)
{
	enum { LAYOUT_FIELDS = 512 };
	struct raw_record *r = &to->record;
	if (r->n == LAYOUT_FIELDS)
		dsl_fail(mrb, "leave out what stands behind the last field that is read", "a class with more than %d fields", LAYOUT_FIELDS);
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->fields[i].name, name))
			dsl_fail(mrb, "give it another name", "the field `%s` is there twice", name);
	struct raw_field *all = arena_alloc(ruby_of(mrb)->rb.arena, (r->n + 1) * sizeof *all);
	if (r->n)
		memcpy(all, r->fields, r->n * sizeof *all);
	type.name = name;
	type.offset = at < 0 ? raw_place(r->size, &type) : (uint32_t)at;
	all[r->n++] = type;
	r->fields = all;
	r->size = type.offset + type.size; /* of the next field: where this one ends */
}

/* `at: 56`; -1: it is not given. */
static mrb_int place_of(mrb_state *mrb, mrb_value given, const struct raw_field *type)
{
	enum { PLACE_MAX = 1 << 15 };
	mrb_value at = mrb_hash_get(mrb, given, mrb_symbol_value(mrb_intern_lit(mrb, "at")));
	if (mrb_hash_size(mrb, given) != 1 || !mrb_integer_p(at) || mrb_integer(at) < 0 || mrb_integer(at) > PLACE_MAX)
		dsl_fail(mrb, "for example: attr :next_pid, :s32, at: 56", "a field takes its name, its type, and at:, where it is in bytes");
	if (raw_place((uint32_t)mrb_integer(at), type) != mrb_integer(at))
		dsl_fail(mrb, "the kernel's `format` file of an event has its offsets", "a field of %u bytes is not at byte %lld", type->size, (long long)mrb_integer(at));
	return mrb_integer(at);
}

/* In a raw program it would be a field that is not there. */
static void note_untyped(struct ruby *ruby, const mrb_value *args, mrb_int n)
{
	struct raw_said *raw = &ruby->said.raw;
	if (raw->untyped.line || !ruby->said.running)
		return;
	raw->untyped = ruby_at(&ruby->rb, statement_line(&ruby->rb));
	if (n > 1 && mrb_symbol_p(args[1]))
		raw->untyped_word = arena_printf(ruby->rb.arena, ":%s", ruby_name(&ruby->rb, mrb_symbol(args[1])));
	else if (n > 1)
		raw->untyped_word = mrb_obj_classname(ruby->rb.mrb, args[1]);
}

/* With a type as its second argument; else mruby's own. */
static mrb_value dsl_attr(mrb_state *mrb, mrb_value self)
{
	struct ruby *ruby = ruby_of(mrb);
	const mrb_value *args;
	struct raw_field type = {0};
	mrb_int n;
	mrb_get_args(mrb, "*", &args, &n);
	bool typed = (n == 2 || (n == 3 && mrb_hash_p(args[2]))) && mrb_symbol_p(args[0]) && mrb_symbol_p(args[1]) && ruby->said.running;
	if (!typed || !raw_type_of(ruby_name(&ruby->rb, mrb_symbol(args[1])), &type)) {
		note_untyped(ruby, args, n);
		return ruby->attr(mrb, self);
	}
	if (mrb_type(self) != MRB_TT_CLASS)
		dsl_fail(mrb, "write it in a class", "a field with a type in a module");
	add_field(mrb, layout_of(ruby, mrb_class_ptr(self)), ruby_name(&ruby->rb, mrb_symbol(args[0])), type,
	          n == 3 ? place_of(mrb, args[2], &type) : -1);
	return mrb_nil_value();
}

/* ---- maps ---------------------------------------------------------------------------------- */

enum { ENTRIES_MAX = 1 << 20, RING_LEAST = 4096, RING_MOST = 256 << 20 };

/* A map with that meaning, as an object that only a program or the user half can use. */
static mrb_value add_map(mrb_state *mrb, const struct raw_map *map)
{
	struct ruby *ruby = ruby_of(mrb);
	struct raw_said *raw = &ruby->said.raw;
	if (raw->nmaps == RAW_MAPS_MAX - 1)
		dsl_fail(mrb, "use one map for several things", "more than %d maps", RAW_MAPS_MAX - 1);
	mrb_value object = mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, raw->map_class[map->kind]));
	mrb_ary_push(mrb, ruby->said.keep, object);
	*ARENA_PUSH(ruby->rb.arena, raw->maps, raw->nmaps, raw->maps_cap) = *map;
	raw->maps[raw->nmaps - 1].at = ruby_at(&ruby->rb, statement_line(&ruby->rb));
	*ARENA_PUSH(ruby->rb.arena, raw->objects, raw->nobjects, raw->objects_cap) = object;
	return object;
}

static void add_typed(mrb_state *mrb, struct raw_record *r, const char *name, mrb_value word, const char *example)
{
	struct interpreter *rb = &ruby_of(mrb)->rb;
	struct raw_field type;
	const char *text = mrb_symbol_p(word) ? ruby_name(rb, mrb_symbol(word)) : "";
	if (!raw_type_of(text, &type)) {
		size_t n;
		const char *const *words = raw_type_words(&n), *near = did_you_mean(text, words, n);
		dsl_fail(mrb, near ? arena_printf(rb->arena, "did you mean :%s?", near) : example, "%s is not a type",
		         *text ? arena_printf(rb->arena, ":%s", text) : mrb_obj_classname(mrb, word));
	}
	switch (raw_record_add(rb->arena, r, name ? name : text, type)) {
	case RAW_TOO_MANY: dsl_fail(mrb, "leave some out", "more than %d fields", RAW_ARGS);
	case RAW_TOO_LONG: dsl_fail(mrb, "leave some out", "more than %d bytes", RAW_RECORD_MAX);
	case RAW_TWICE: dsl_fail(mrb, "give one another name", "the field `%s` is there twice", name ? name : text);
	case RAW_ADDED: break;
	}
}

/* The number of a keyword, `usual` where it is not given. */
static uint32_t counted(mrb_state *mrb, mrb_value v, const char *what, int64_t least, int64_t most, uint32_t usual)
{
	if (mrb_undef_p(v))
		return usual;
	if (!mrb_integer_p(v) || mrb_integer(v) < least || mrb_integer(v) > most)
		dsl_fail(mrb, "choose a number of that range", "%s is an Integer from %lld to %lld", what, (long long)least, (long long)most);
	return (uint32_t)mrb_integer(v);
}

/* A field of a key is called by its word, the second of one word by its number too. */
static const char *name_of_key(mrb_state *mrb, const struct raw_record *key, mrb_value word)
{
	struct interpreter *rb = &ruby_of(mrb)->rb;
	const char *name = mrb_symbol_p(word) ? ruby_name(rb, mrb_symbol(word)) : "";
	for (size_t i = 0; i < key->n; i++)
		if (!strcmp(key->fields[i].name, name))
			return arena_printf(rb->arena, "%s_%zu", name, key->n + 1);
	return name;
}

/* `table :pid => :u64, max: 1000`: mruby gives one hash for both. */
static mrb_value keyed(mrb_state *mrb, const char *what, enum raw_map_kind kind)
{
	struct interpreter *rb = &ruby_of(mrb)->rb;
	const char *example = arena_printf(rb->arena, "for example: COUNTS = %s :pid => :u64", what);
	struct raw_map m = {.kind = kind, .entries = RAW_TABLE_ENTRIES};
	mrb_value block, given, max = mrb_undef_value(), key = mrb_undef_value(), value = mrb_undef_value();
	const mrb_value *args;
	mrb_int n;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	args_while_running(mrb, what);
	args_no_block(mrb, block, what);
	if (n != 1 || !mrb_hash_p(args[0]))
		dsl_fail(mrb, example, "%s takes the type of its keys and that of its values", what);
	given = mrb_hash_keys(mrb, args[0]);
	for (mrb_int i = 0; i < RARRAY_LEN(given); i++) {
		mrb_value k = RARRAY_PTR(given)[i], v = mrb_hash_get(mrb, args[0], k);
		if (mrb_symbol_p(k) && !strcmp(ruby_name(rb, mrb_symbol(k)), "max"))
			max = v;
		else if (mrb_undef_p(key))
			key = k, value = v;
		else
			dsl_fail(mrb, "a key of several fields is a list: [:pid, :comm] => :u64", "%s has one type of keys", what);
	}
	if (mrb_undef_p(key))
		dsl_fail(mrb, example, "%s takes the type of its keys and that of its values", what);
	m.entries = counted(mrb, max, "max:", 1, ENTRIES_MAX, RAW_TABLE_ENTRIES);
	if (mrb_array_p(key))
		for (mrb_int i = 0; i < RARRAY_LEN(key); i++)
			add_typed(mrb, &m.key, name_of_key(mrb, &m.key, RARRAY_PTR(key)[i]), RARRAY_PTR(key)[i], example);
	else
		add_typed(mrb, &m.key, NULL, key, example);
	if (!m.key.n)
		dsl_fail(mrb, example, "a key without a field");
	add_typed(mrb, &m.value, "value", value, example);
	if (raw_is_text(&m.value.fields[0]))
		dsl_fail(mrb, "make it part of the key, or send it through a ring", "a value of a %s is a number", what);
	return add_map(mrb, &m);
}

static mrb_value dsl_table(mrb_state *mrb, mrb_value self)
{
	(void)self;
	return keyed(mrb, "table", RAW_TABLE);
}

static mrb_value dsl_percpu(mrb_state *mrb, mrb_value self)
{
	(void)self;
	return keyed(mrb, "percpu", RAW_PERCPU);
}

/* `array 16`, `array 16, :u32` */
static mrb_value dsl_array(mrb_state *mrb, mrb_value self)
{
	static const char example[] = "for example: CELLS = array 16";
	struct raw_map m = {.kind = RAW_ARRAY};
	const mrb_value *args;
	mrb_value block;
	mrb_int n;
	(void)self;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	args_while_running(mrb, "array");
	args_no_block(mrb, block, "array");
	if (n < 1 || n > 2)
		dsl_fail(mrb, example, "array takes how many cells it has, and their type");
	m.entries = counted(mrb, args[0], "the number of cells", 1, ENTRIES_MAX, 0);
	add_typed(mrb, &m.key, "index", mrb_symbol_value(mrb_intern_lit(mrb, "u32")), example);
	add_typed(mrb, &m.value, "value", n == 2 ? args[1] : mrb_symbol_value(mrb_intern_lit(mrb, "u64")), example);
	if (raw_is_text(&m.value.fields[0]) || m.value.size < 4)
		dsl_fail(mrb, "use :u32, :s32, :u64 or :s64", "a cell of an array has 4 or 8 bytes");
	return add_map(mrb, &m);
}

static mrb_value dsl_histogram(mrb_state *mrb, mrb_value self)
{
	static const char example[] = "for example: HIST = histogram";
	struct raw_map m = {.kind = RAW_HISTOGRAM, .entries = RAW_SLOTS};
	const mrb_value *args;
	mrb_value block;
	mrb_int n;
	(void)self;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	args_while_running(mrb, "histogram");
	args_no_block(mrb, block, "histogram");
	if (n)
		dsl_fail(mrb, example, "histogram takes nothing: it has %d slots", RAW_SLOTS);
	add_typed(mrb, &m.key, "slot", mrb_symbol_value(mrb_intern_lit(mrb, "u32")), example);
	add_typed(mrb, &m.value, "count", mrb_symbol_value(mrb_intern_lit(mrb, "u64")), example);
	return add_map(mrb, &m);
}

/* `ring pid: :u32, comm: :comm, size: 65536` */
static mrb_value dsl_ring(mrb_state *mrb, mrb_value self)
{
	static const char example[] = "for example: EVENTS = ring pid: :u32, comm: :comm";
	struct interpreter *rb = &ruby_of(mrb)->rb;
	struct raw_map m = {.kind = RAW_RING, .entries = RAW_RING_BYTES};
	const mrb_value *args;
	mrb_value block;
	mrb_int n;
	(void)self;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	args_while_running(mrb, "ring");
	args_no_block(mrb, block, "ring");
	if (n != 1 || !mrb_hash_p(args[0]))
		dsl_fail(mrb, example, "ring takes the fields of its events");
	mrb_value given = mrb_hash_keys(mrb, args[0]);
	for (mrb_int i = 0; i < RARRAY_LEN(given); i++) {
		mrb_value k = RARRAY_PTR(given)[i], v = mrb_hash_get(mrb, args[0], k);
		if (!mrb_symbol_p(k))
			dsl_fail(mrb, example, "the name of a field is a symbol");
		const char *name = ruby_name(rb, mrb_symbol(k));
		if (!strcmp(name, "size") && mrb_integer_p(v))
			m.entries = counted(mrb, v, "size:", RING_LEAST, RING_MOST, 0);
		else
			add_typed(mrb, &m.value, name, v, example);
	}
	if (!m.value.n)
		dsl_fail(mrb, example, "a ring without a field");
	if (m.entries & (m.entries - 1))
		dsl_fail(mrb, "for example: size: 65536", "the size of a ring is a power of two, in bytes");
	return add_map(mrb, &m);
}

/* ---- maps outside of a program ---------------------------------------------------------------- */

static void __attribute__((noreturn)) not_now(mrb_state *mrb)
{
	dsl_fail(mrb, "use it in `prog`, or in a handler: every(5) { ... }", "a map is empty while the file runs");
}

/* Each a function of its own, by which a program is known to call it. */
#define MAP_METHOD(name) static mrb_value map_##name(mrb_state *mrb, mrb_value self) { (void)self; not_now(mrb); }
MAP_METHOD(get)
MAP_METHOD(set)
MAP_METHOD(push)
MAP_METHOD(delete)

static void define_maps(struct ruby *ruby)
{
	mrb_state *mrb = ruby->rb.mrb;
	struct RClass *c = mrb_define_class(mrb, "KernelMap", mrb->object_class);
	for (int i = 0; i < RAW_MAP_KINDS; i++)
		ruby->said.raw.map_class[i] = c;
	mrb_define_method(mrb, c, "[]", map_get, MRB_ARGS_ANY());
	mrb_define_method(mrb, c, "[]=", map_set, MRB_ARGS_ANY());
	mrb_define_method(mrb, c, "<<", map_push, MRB_ARGS_ANY());
	mrb_define_method(mrb, c, "delete", map_delete, MRB_ARGS_ANY());
	mrb_undef_class_method(mrb, c, "new");
	mrb_undef_class_method(mrb, c, "allocate");
	mrb_gc_register(mrb, mrb_obj_value(c));
	mrb_const_remove(mrb, mrb_obj_value(mrb->object_class), mrb_intern_lit(mrb, "KernelMap"));
}

void dsl_raw_define(struct ruby *ruby)
{
	mrb_state *mrb = ruby->rb.mrb;
	static const struct { const char *name; mrb_func_t fn; } words[] = {
		{"section!", dsl_section}, {"license!", dsl_license}, {"table", dsl_table}, {"percpu", dsl_percpu},
		{"array", dsl_array}, {"histogram", dsl_histogram}, {"ring", dsl_ring},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		mrb_define_method(mrb, mrb->kernel_module, words[i].name, words[i].fn, MRB_ARGS_ANY());
	define_maps(ruby);
	struct RClass *owner = mrb->module_class;
	ruby->attr = MRB_METHOD_CFUNC(mruby_method(mrb, &owner, mrb_intern_lit(mrb, "attr")));
	mrb_define_method(mrb, mrb->module_class, "attr", dsl_attr, MRB_ARGS_ANY());
}
