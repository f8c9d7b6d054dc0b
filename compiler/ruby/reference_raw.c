/*
 * reference_raw.c - mruby's own answer: the method of a raw program called with a plain object as its ctx, in a world
 * (compiler/raw/world.h), and what it did there, in order.
 *
 * This shares nothing with the lifter but what the file said: layouts and maps. What the kernel gives a program are
 * functions of Ruby here, which are defined when the first program is run: the lifter takes them as not there.
 */
#include "compiler/raw/world.h"
#include "compiler/ruby/ruby.h"

#include <inttypes.h>
#include <string.h>

/* `MAP[key] += n`, between the reading and the writing: where the writing returns to, and what was read. What n is may do
 * the same, and it may write to the map: then it is no sum of the kernel, but what Ruby says. */
struct sum { const mrb_irep *irep; uint32_t pc; ptrdiff_t depth; unsigned writes; int64_t old; };

struct raw_reference {
	struct raw_world *world; /* NULL: no program runs */
	struct raw_log *log;
	const struct request *request; /* says what maps hold; NULL: the world alone does */
	const int64_t *inputs;         /* of that request, for terms */
	unsigned writes[RAW_MAPS_MAX]; /* to each map */
	struct sum *sums;
	size_t nsums, sums_cap;
	struct RClass *context, *structure;
};

static struct raw_reference *running(mrb_state *mrb)
{
	struct raw_reference *r = ruby_of(mrb)->reference;
	if (!r->world)
		mrb_raise(mrb, mrb->eStandardError_class, "the kernel answers in a program only");
	return r;
}

static const struct raw *program_of(mrb_state *mrb)
{
	return ruby_of(mrb)->said.policy->raw;
}

static void log_effect(mrb_state *mrb, struct raw_effect e)
{
	e.line = ruby_line(&ruby_of(mrb)->rb);
	raw_log_add(running(mrb)->log, &e);
}

static mrb_value number(mrb_value v, mrb_state *mrb)
{
	if (!mrb_integer_p(v))
		mrb_raise(mrb, mrb_class_get(mrb, "TypeError"), "an Integer is needed");
	return v;
}

/* ---- what the kernel tells -------------------------------------------------------------------- */

static mrb_value input_of(mrb_state *mrb, enum input in)
{
	mrb_get_args(mrb, "");
	return mrb_int_value(mrb, running(mrb)->world->inputs[in]);
}

#define FUNCTION(name) static mrb_value kernel_##name(mrb_state *mrb, mrb_value self)
#define FACT_FUNCTION(name, in) FUNCTION(name) { (void)self; return input_of(mrb, in); }
FACT_FUNCTION(pid, IN_PID)
FACT_FUNCTION(tid, IN_TID)
FACT_FUNCTION(uid, IN_UID)
FACT_FUNCTION(gid, IN_GID)
FACT_FUNCTION(cgroup_id, IN_CGROUP_ID)

static void name_of_process(mrb_state *mrb, char text[COMM_SIZE + 1])
{
	memcpy(text, &running(mrb)->world->inputs[IN_COMM_0], 8);
	memcpy(text + 8, &running(mrb)->world->inputs[IN_COMM_1], 8);
	text[COMM_SIZE] = 0;
}

FUNCTION(comm)
{
	char text[COMM_SIZE + 1];
	(void)self;
	mrb_get_args(mrb, "");
	name_of_process(mrb, text);
	return mrb_str_new_cstr(mrb, text);
}

FUNCTION(ktime_ns)
{
	struct raw_world *w = running(mrb)->world;
	int64_t now = (int64_t)w->time;
	(void)self;
	mrb_get_args(mrb, "");
	w->time += w->tick;
	return mrb_int_value(mrb, now);
}

FUNCTION(cpu)
{
	(void)self;
	mrb_get_args(mrb, "");
	return mrb_int_value(mrb, running(mrb)->world->cpu);
}

/* ---- printing --------------------------------------------------------------------------------- */

/* Is it followed by a length, as bpf_trace_printk may have it? */
static bool has_length(const char *format, mrb_int values)
{
	mrb_int conversions = 0;
	for (; *format; format++)
		conversions += *format == '%';
	return values == conversions + 1;
}

static void put_number(FILE *out, char conversion, int64_t n)
{
	if (conversion == 'x')
		fprintf(out, "%" PRIx64, (uint64_t)n);
	else if (conversion == 'u')
		fprintf(out, "%" PRIu64, (uint64_t)n);
	else
		fprintf(out, "%" PRId64, n);
}

/* The whole line: what stands for each conversion is put in. */
static mrb_value print(mrb_state *mrb, bool length)
{
	struct arena_stream s;
	struct arena *a = running(mrb)->log->arena;
	const mrb_value *values;
	const char *format;
	mrb_int n, used = 0;
	mrb_get_args(mrb, "z*", &format, &values, &n);
	if (length && has_length(format, n))
		used = 1;
	FILE *out = arena_stream(a, &s);
	for (const char *c = format; *c; c++) {
		if (*c != '%') {
			fputc(*c, out);
			continue;
		}
		while (*++c == 'l')
			;
		mrb_value v = used < n ? values[used++] : mrb_nil_value();
		if (*c == 's')
			fputs(mrb_string_p(v) ? RSTRING_CSTR(mrb, v) : mrb_symbol_p(v) ? mrb_sym_name(mrb, mrb_symbol(v)) : "?", out);
		else
			put_number(out, *c, mrb_integer_p(v) ? mrb_integer(v) : 0);
	}
	const char *text = arena_text(a, &s);
	log_effect(mrb, (struct raw_effect){.kind = EFFECT_PRINT, .text = text, .ntext = strlen(text)});
	return mrb_nil_value();
}

FUNCTION(printk)
{
	(void)self;
	return print(mrb, false);
}

FUNCTION(bpf_trace_printk)
{
	(void)self;
	return print(mrb, true);
}

/* ---- fields ----------------------------------------------------------------------------------- */

/* Where a field is, kept with its method. */
static struct raw_field own_field(mrb_state *mrb)
{
	mrb_int offset = mrb_integer(mrb_proc_cfunc_env_get(mrb, 0)), size = mrb_integer(mrb_proc_cfunc_env_get(mrb, 1));
	return (struct raw_field){.offset = (uint32_t)offset, .size = (uint8_t)size,
	                          .is_signed = mrb_test(mrb_proc_cfunc_env_get(mrb, 2))};
}

static mrb_value context_field(mrb_state *mrb, mrb_value self)
{
	const struct raw_world *w = running(mrb)->world;
	struct raw_field f = own_field(mrb);
	uint32_t device[3] = {(uint32_t)w->inputs[IN_REQUESTED] << 16 | (uint32_t)w->inputs[IN_TYPE],
	                      (uint32_t)w->inputs[IN_MAJOR], (uint32_t)w->inputs[IN_MINOR]};
	bool of_device = program_of(mrb)->section == RAW_DEVICE;
	const unsigned char *bytes = of_device ? (const unsigned char *)device : w->context;
	(void)self;
	mrb_get_args(mrb, "");
	if (f.offset + f.size > (of_device ? sizeof device : w->ncontext))
		mrb_raise(mrb, mrb->eStandardError_class, "a field behind the context");
	return mrb_int_value(mrb, raw_load(bytes + f.offset, f.size, f.is_signed));
}

static mrb_value structure_field(mrb_state *mrb, mrb_value self)
{
	const struct raw_world *w = running(mrb)->world;
	struct raw_field f = own_field(mrb);
	uint64_t bytes = 0, address = (uint64_t)mrb_integer(mrb_iv_get(mrb, self, mrb_intern_lit(mrb, "@address")));
	mrb_get_args(mrb, "");
	bool there = w->peek(w, address + f.offset, &bytes, f.size);
	return mrb_int_value(mrb, there ? raw_load(&bytes, f.size, f.is_signed) : 0);
}

static void define_with(mrb_state *mrb, struct RClass *c, const char *name, mrb_func_t fn, const mrb_value *kept, mrb_int n)
{
	struct RProc *p = mrb_proc_new_cfunc_with_env(mrb, fn, n, kept);
	mrb_method_t m;
	MRB_METHOD_FROM_PROC(m, p);
	mrb_define_method_raw(mrb, c, mrb_intern_cstr(mrb, name), m);
}

static void define_field(mrb_state *mrb, struct RClass *c, mrb_func_t fn, const struct raw_field *f)
{
	mrb_value place[] = {mrb_int_value(mrb, (mrb_int)f->offset), mrb_int_value(mrb, f->size), mrb_bool_value(f->is_signed)};
	define_with(mrb, c, f->name, fn, place, 3);
}

/* SomeClass.at(address): an object of a class of its own, kept with the method. */
static mrb_value structure_at(mrb_state *mrb, mrb_value self)
{
	mrb_value address;
	(void)self;
	mrb_get_args(mrb, "o", &address);
	mrb_value object = mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, mrb_class_ptr(mrb_proc_cfunc_env_get(mrb, 0))));
	mrb_iv_set(mrb, object, mrb_intern_lit(mrb, "@address"), number(address, mrb));
	return object;
}

/* What a context has when no class says so. */
static const struct { enum raw_section section; struct raw_field field; } usual_fields[] = {
	{RAW_DEVICE, {"access_type", 0, 4, false}}, {RAW_DEVICE, {"major", 4, 4, false}}, {RAW_DEVICE, {"minor", 8, 4, false}},
	{RAW_RAW_TRACEPOINT, {"arg1", 0, 8, false}}, {RAW_RAW_TRACEPOINT, {"arg2", 8, 8, false}},
	{RAW_RAW_TRACEPOINT, {"arg3", 16, 8, false}}, {RAW_RAW_TRACEPOINT, {"arg4", 24, 8, false}},
	{RAW_RAW_TRACEPOINT, {"arg5", 32, 8, false}}, {RAW_RAW_TRACEPOINT, {"arg6", 40, 8, false}},
#if defined(__x86_64__)
	{RAW_KPROBE, {"arg1", 112, 8, false}}, {RAW_KPROBE, {"arg2", 104, 8, false}}, {RAW_KPROBE, {"arg3", 96, 8, false}},
	{RAW_KPROBE, {"arg4", 88, 8, false}}, {RAW_KPROBE, {"arg5", 72, 8, false}}, {RAW_KPROBE, {"arg6", 64, 8, false}},
	{RAW_KRETPROBE, {"ret", 80, 8, false}},
#endif
};

/* Of two classes with a field of that name the first one counts. */
static void define_fields(struct ruby *ruby, struct raw_reference *r)
{
	mrb_state *mrb = ruby->rb.mrb;
	const struct raw_said *said = &ruby->said.raw;
	for (size_t i = 0; i < sizeof usual_fields / sizeof *usual_fields; i++)
		if (usual_fields[i].section == program_of(mrb)->section)
			define_field(mrb, r->context, context_field, &usual_fields[i].field);
	for (size_t i = said->nlayouts; i-- > 0;) {
		const struct layout *layout = &said->layouts[i];
		struct RClass *c = mrb_class_new(mrb, mrb->object_class);
		mrb_value kept = mrb_obj_value(c), class = mrb_obj_value(layout->class);
		mrb_gc_register(mrb, kept);
		for (size_t k = 0; k < layout->record.n; k++) {
			define_field(mrb, r->context, context_field, &layout->record.fields[k]);
			define_field(mrb, c, structure_field, &layout->record.fields[k]);
		}
		define_with(mrb, mrb_singleton_class_ptr(mrb, class), "at", structure_at, &kept, 1);
	}
}

/* ---- maps ------------------------------------------------------------------------------------- */

static uint32_t map_of(mrb_state *mrb, mrb_value self)
{
	const struct raw_said *said = &ruby_of(mrb)->said.raw;
	for (size_t i = 0; i < said->nobjects; i++)
		if (mrb_obj_eq(mrb, said->objects[i], self))
			return (uint32_t)i;
	mrb_raise(mrb, mrb->eStandardError_class, "no map of this program");
	return 0;
}

static void put_field(mrb_state *mrb, unsigned char *record, const struct raw_field *f, mrb_value v)
{
	if (mrb_string_p(v)) {
		char text[COMM_SIZE + 1];
		name_of_process(mrb, text);
		memcpy(record + f->offset, text, COMM_SIZE);
	} else {
		raw_store(record + f->offset, f->size, mrb_integer(number(v, mrb)));
	}
}

static void put_key(mrb_state *mrb, const struct raw_map *m, mrb_value key, unsigned char bytes[RAW_RECORD_MAX])
{
	memset(bytes, 0, RAW_RECORD_MAX);
	for (size_t i = 0; i < m->key.n; i++)
		put_field(mrb, bytes, &m->key.fields[i], m->key.n == 1 ? key : mrb_ary_ref(mrb, key, (mrb_int)i));
}

/* ---- what a request says that maps hold ------------------------------------------------------------ */

/* The value that a request gives for one of those by which the verdict differs. */
static bool request_gives(const struct raw_reference *r, const struct policy *p, uint32_t value, int64_t *is)
{
	for (size_t i = 0; i < p->raw->nasked; i++) {
		uint32_t in = IN_PARAM_0 + (uint32_t)(p->nparams + i);
		if (p->raw->asked[i] != value || !(r->request->known & INPUT(in)))
			continue;
		*is = r->request->fact[in];
		return true;
	}
	return false;
}

static bool has_key(const struct raw_reference *r, const struct policy *p, const struct step *s, const unsigned char *key)
{
	const struct raw_record *fields = &p->raw->maps[s->map].key;
	unsigned char bytes[RAW_RECORD_MAX] = {0};
	for (size_t i = 0; i < s->nargs; i++)
		if (s->args[i].is_comm)
			memcpy(bytes + fields->fields[i].offset, &r->inputs[IN_COMM_0], COMM_SIZE);
		else
			raw_store(bytes + fields->fields[i].offset, fields->fields[i].size, term_eval(p->terms, s->args[i].t, r->inputs));
	return !memcmp(bytes, key, sizeof bytes);
}

/* Of a step that reads that key of the map: what the request says. False: it says nothing. */
static bool given_entry(const struct raw_reference *r, const struct policy *p, const struct step *s, uint32_t map, const unsigned char *key,
                        bool *found, int64_t *value)
{
	for (; s; s = s->next) {
		int64_t is = 1;
		if (s->kind == STEP_IF && (given_entry(r, p, s->yes, map, key, found, value) || given_entry(r, p, s->no, map, key, found, value)))
			return true;
		if (s->kind != STEP_GET || s->map != map || !has_key(r, p, s, key))
			continue;
		bool presence = request_gives(r, p, s->found, &is), number = request_gives(r, p, s->value, value);
		*found = is;
		if (presence || number)
			return true;
	}
	return false;
}

/* ---- reading and writing maps ----------------------------------------------------------------------- */

/* Is a call of `[]` the first half of `MAP[key] += n`? Its result is then in a register that is added to, and
 * written by `[]=` two registers before it. */
static bool begins_sum(struct interpreter *rb, const mrb_callinfo *ci, struct sum *out)
{
	const mrb_irep *irep = ci->proc->body.irep;
	uint32_t after = (uint32_t)(ci->pc - irep->iseq), pc = 0;
	struct insn call = {0}, before, in;
	while (pc < after && insn_decode(irep, pc, &call))
		pc = call.next;
	if (pc != after || call.op != OP_SEND || call.a < 2)
		return false;
	for (before = call; insn_decode(irep, pc, &in); pc = in.next) {
		if (in.op == OP_SEND && in.a == call.a - 2)
			break;
		if (in.op != OP_MOVE || in.b != call.a) /* the sum is kept where it is the value of the statement */
			before = in;
	}
	*out = (struct sum){.irep = irep, .pc = in.next, .depth = ci - rb->mrb->c->cibase};
	bool sum = before.op == OP_ADD || before.op == OP_ADDI || before.op == OP_SUB || before.op == OP_SUBI ||
	           (before.op == OP_SEND && before.next == call.next); /* 0 is added: mruby leaves that out */
	return in.op == OP_SEND && in.a == call.a - 2 && !strcmp(irep_symbol(rb, irep, in.b), "[]=") && before.a == call.a && sum;
}

/* The second half; NULL: it is none. */
static const struct sum *ends_sum(struct raw_reference *r, struct interpreter *rb)
{
	const mrb_callinfo *ci = ruby_frame(rb);
	for (size_t i = r->nsums; ci && i-- > 0;) {
		const struct sum *s = &r->sums[i];
		if (s->irep != ci->proc->body.irep || s->pc != (uint32_t)(ci->pc - s->irep->iseq) || s->depth != ci - rb->mrb->c->cibase)
			continue;
		r->nsums = i;
		return s;
	}
	return NULL;
}

static mrb_value map_get(mrb_state *mrb, mrb_value self)
{
	struct raw_reference *r = running(mrb);
	uint32_t map = map_of(mrb, self);
	const struct raw_map *m = &program_of(mrb)->maps[map];
	const struct raw_field *f = &m->value.fields[0];
	unsigned char key[RAW_RECORD_MAX];
	mrb_value given;
	struct interpreter *rb = &ruby_of(mrb)->rb;
	const mrb_callinfo *ci = ruby_frame(rb);
	struct sum sum;
	mrb_get_args(mrb, "o", &given);
	put_key(mrb, m, given, key);
	if (ci && begins_sum(rb, ci, &sum)) {
		const struct raw_entry *e = world_find(r->world, map, key);
		sum.writes = r->writes[map];
		sum.old = e ? raw_load(e->value + f->offset, f->size, f->is_signed) : 0;
		*ARENA_PUSH(rb->arena, r->sums, r->nsums, r->sums_cap) = sum;
		return mrb_int_value(mrb, 0);
	}
	bool found;
	int64_t value = 0;
	if (r->request && given_entry(r, r->world->policy, program_of(mrb)->steps, map, key, &found, &value))
		return found ? mrb_int_value(mrb, value) : mrb_nil_value();
	const struct raw_entry *e = world_find(r->world, map, key);
	return e ? mrb_int_value(mrb, raw_load(e->value + f->offset, f->size, f->is_signed)) : mrb_nil_value();
}

static void lose(mrb_state *mrb, uint32_t map)
{
	log_effect(mrb, (struct raw_effect){.kind = EFFECT_LOST, .map = map, .numbers = {1}, .nnumbers = 1});
}

static void put(mrb_state *mrb, uint32_t map, const unsigned char *key, const unsigned char *value, bool absent)
{
	const struct raw_map *m = &program_of(mrb)->maps[map];
	running(mrb)->writes[map]++;
	if (world_put(running(mrb)->world, map, key, value, absent))
		log_effect(mrb, (struct raw_effect){.kind = EFFECT_PUT, .map = map, .key = key, .nkey = m->key.size,
		                                    .value = value, .nvalue = m->value.size});
	else
		lose(mrb, map);
}

/* Where there is no entry 0 is put in first. */
static void add(mrb_state *mrb, uint32_t map, const unsigned char *key, int64_t n)
{
	struct raw_world *w = running(mrb)->world;
	const struct raw_map *m = &program_of(mrb)->maps[map];
	const struct raw_field *f = &m->value.fields[0];
	unsigned char value[RAW_RECORD_MAX] = {0};
	if (!world_find(w, map, key))
		put(mrb, map, key, value, true);
	struct raw_entry *e = world_find(w, map, key);
	if (!e)
		return;
	running(mrb)->writes[map]++;
	raw_store(value, f->size, n);
	log_effect(mrb, (struct raw_effect){.kind = EFFECT_ADD, .map = map, .key = key, .nkey = m->key.size,
	                                    .numbers = {raw_load(value, f->size, false)}, .nnumbers = 1});
	raw_store(e->value + f->offset, f->size, (int64_t)((uint64_t)raw_load(e->value + f->offset, f->size, false) + (uint64_t)n));
}

static mrb_value map_set(mrb_state *mrb, mrb_value self)
{
	struct raw_reference *r = running(mrb);
	uint32_t map = map_of(mrb, self);
	const struct raw_map *m = &program_of(mrb)->maps[map];
	unsigned char key[RAW_RECORD_MAX], value[RAW_RECORD_MAX] = {0};
	mrb_value given, v;
	mrb_get_args(mrb, "oo", &given, &v);
	put_key(mrb, m, given, key);
	const struct sum *sum = ends_sum(r, &ruby_of(mrb)->rb);
	if (sum && sum->writes == r->writes[map]) {
		add(mrb, map, key, mrb_integer(number(v, mrb))); /* 0 was read */
		return v;
	}
	if (sum)
		v = mrb_int_value(mrb, (mrb_int)((uint64_t)mrb_integer(number(v, mrb)) + (uint64_t)sum->old));
	put_field(mrb, value, &m->value.fields[0], number(v, mrb));
	put(mrb, map, key, value, false);
	return v;
}

/* The slot that BCC's tools print as "0 -> 1" is the first; what is below 0 is in none of those. */
static int64_t slot_of(int64_t n)
{
	int64_t slot = n == 0;
	for (; n > 0; n >>= 1)
		slot++;
	return slot;
}

static mrb_value map_push(mrb_state *mrb, mrb_value self)
{
	struct raw_reference *r = running(mrb);
	uint32_t map = map_of(mrb, self);
	const struct raw_map *m = &program_of(mrb)->maps[map];
	unsigned char bytes[RAW_RECORD_MAX] = {0};
	mrb_value v;
	mrb_get_args(mrb, "o", &v);
	if (m->kind != RAW_RING) {
		raw_store(bytes, m->key.size, slot_of(mrb_integer(number(v, mrb))));
		add(mrb, map, bytes, 1);
		return self;
	}
	for (size_t i = 0; i < m->value.n; i++) {
		mrb_value name = mrb_symbol_value(mrb_intern_cstr(mrb, m->value.fields[i].name));
		put_field(mrb, bytes, &m->value.fields[i], mrb_hash_get(mrb, v, name));
	}
	if (world_out(r->world, map))
		log_effect(mrb, (struct raw_effect){.kind = EFFECT_OUT, .map = map, .value = bytes, .nvalue = m->value.size});
	else
		lose(mrb, map);
	return self;
}

static mrb_value map_delete(mrb_state *mrb, mrb_value self)
{
	uint32_t map = map_of(mrb, self);
	const struct raw_map *m = &program_of(mrb)->maps[map];
	unsigned char key[RAW_RECORD_MAX];
	mrb_value given;
	mrb_get_args(mrb, "o", &given);
	put_key(mrb, m, given, key);
	running(mrb)->writes[map]++;
	if (world_delete(running(mrb)->world, map, key))
		log_effect(mrb, (struct raw_effect){.kind = EFFECT_DELETE, .map = map, .key = key, .nkey = m->key.size});
	return mrb_nil_value();
}

/* ---- running ---------------------------------------------------------------------------------- */

static void define_functions(struct ruby *ruby)
{
	mrb_state *mrb = ruby->rb.mrb;
	static const struct { const char *name; mrb_func_t fn; } functions[] = {
		{"pid", kernel_pid}, {"tid", kernel_tid}, {"uid", kernel_uid}, {"gid", kernel_gid}, {"cgroup_id", kernel_cgroup_id},
		{"comm", kernel_comm}, {"ktime_ns", kernel_ktime_ns}, {"cpu", kernel_cpu}, {"printk", kernel_printk},
		{"bpf_trace_printk", kernel_bpf_trace_printk},
	}, methods[] = {{"[]", map_get}, {"[]=", map_set}, {"<<", map_push}, {"delete", map_delete}};
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		struct RClass *owner = mrb->object_class;
		if (MRB_METHOD_UNDEF_P(mruby_method(mrb, &owner, mrb_intern_cstr(mrb, functions[i].name)))) /* the file's own counts */
			mrb_define_singleton_method(mrb, mrb_obj_ptr(mrb_top_self(mrb)), functions[i].name, functions[i].fn, MRB_ARGS_ANY());
	}
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		for (int kind = 0; kind < RAW_LOST; kind++)
			mrb_define_method(mrb, ruby->said.raw.map_class[kind], methods[i].name, methods[i].fn, MRB_ARGS_ANY());
}

static mrb_value define_body(mrb_state *mrb, void *p)
{
	struct ruby *ruby = p;
	struct raw_reference *r = ruby->reference;
	r->context = mrb_class_new(mrb, mrb->object_class);
	mrb_gc_register(mrb, mrb_obj_value(r->context));
	define_fields(ruby, r);
	define_functions(ruby);
	return mrb_nil_value();
}

static mrb_value call_body(mrb_state *mrb, void *p)
{
	struct ruby *ruby = p;
	mrb_value ctx = mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, ruby->reference->context));
	return mrb_funcall_argv(mrb, mrb_top_self(mrb), mrb_intern_cstr(mrb, program_of(mrb)->function), 1, &ctx);
}

/* The request says what maps hold, or is NULL; inputs: its own, for terms. */
static int run_program(struct ruby *ruby, struct raw_world *w, struct raw_log *log, const struct request *request, const int64_t *inputs,
                       const char **why)
{
	struct interpreter *rb = &ruby->rb;
	mrb_bool failed = FALSE;
	int ai = mrb_gc_arena_save(rb->mrb);
	mrb_value v = mrb_nil_value();
	if (!ruby->reference) {
		ruby->reference = arena_alloc(rb->arena, sizeof *ruby->reference);
		*ruby->reference = (struct raw_reference){0};
		v = mrb_protect_error(rb->mrb, define_body, ruby, &failed);
	}
	ruby->reference->world = w;
	ruby->reference->log = log;
	ruby->reference->nsums = 0;
	ruby->reference->request = request;
	ruby->reference->inputs = inputs;
	if (!failed)
		v = mrb_protect_error(rb->mrb, call_body, ruby, &failed);
	*why = failed ? ruby_exception_text(rb, v) : NULL;
	log->result = !failed && mrb_integer_p(v) ? mrb_integer(v) : 0;
	if (program_of(rb->mrb)->section == RAW_DEVICE)
		log->result = log->result != 0;
	ruby->reference->world = NULL;
	mrb_gc_arena_restore(rb->mrb, ai);
	return failed ? -1 : 0;
}

int ruby_run_raw(struct ruby *ruby, struct raw_world *w, struct raw_log *log, const char **why)
{
	return run_program(ruby, w, log, NULL, NULL, why);
}

/* ---- deciding --------------------------------------------------------------------------------- */

static bool no_memory(const struct raw_world *w, uint64_t address, void *to, size_t n)
{
	(void)w, (void)address, (void)to, (void)n;
	return false;
}

/* What the clock says, too, may be in the request. */
static void settle_clock(struct raw_world *w, const struct request *r)
{
	for (size_t i = 0; i < w->policy->raw->nasked; i++) {
		const char *name = w->policy->raw->values[w->policy->raw->asked[i]].name;
		uint32_t in = IN_PARAM_0 + (uint32_t)(w->policy->nparams + i);
		if (!strcmp(name, "ktime_ns"))
			w->time = (uint64_t)r->fact[in];
		else if (!strcmp(name, "cpu"))
			w->cpu = (uint32_t)r->fact[in];
	}
}

void reference_raw_decide(struct ruby *ruby, const struct policy *p, const struct request *r, struct decision *out)
{
	struct arena *a = arena_scratch(ruby->rb.arena);
	struct raw_world w = {.arena = a, .policy = p, .peek = no_memory};
	struct raw_log log = {.arena = a};
	const char *why;
	int64_t *inputs = arena_alloc(a, (INPUT_MAX + p->raw->nvalues) * sizeof *inputs);
	for (int i = IN_UID; i < INPUT_MAX; i++)
		w.inputs[i] = r->known & INPUT(i) ? r->fact[i] : 0; /* whether it decides is told by policy_decide(), which is exact */
	w.inputs[IN_TYPE] = r->type;
	w.inputs[IN_REQUESTED] = r->access;
	w.inputs[IN_MAJOR] = r->major;
	w.inputs[IN_MINOR] = r->minor;
	memcpy(inputs, w.inputs, sizeof w.inputs);
	for (size_t i = 0; i < p->raw->nasked; i++)
		inputs[INPUT_MAX + p->raw->asked[i]] = w.inputs[IN_PARAM_0 + p->nparams + i];
	world_maps(&w);
	settle_clock(&w, r);
	int failed = run_program(ruby, &w, &log, r, inputs, &why);
	*out = (struct decision){.allow = !failed && log.result, .rule = failed || log.result ? &p->rules[0] : NULL};
	if (failed) {
		struct raise *raise = arena_alloc(ruby->rb.arena, sizeof *raise);
		*raise = (struct raise){.at = p->raw->at, .what = why};
		out->error = true;
		out->raise = raise;
	}
	arena_free(a);
}
