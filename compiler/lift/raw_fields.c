/*
 * raw_fields.c - what a raw program reads of memory: fields of its context, by a class of the file or by what the
 * section has, and of structures of the kernel.
 */
#include "compiler/lift/methods.h"
#include "policy/raw_record.h"

#include <string.h>

/* Contexts that need no class: the kernel's own layout. */
#define U64(name, offset) {name, offset, 8, false}
static const struct raw_field device_fields[] = {
	{"access_type", 0, 4, false}, {"major", 4, 4, false}, {"minor", 8, 4, false}, {NULL, 0, 0, false}};
static const struct raw_field raw_tracepoint_fields[] = {
	U64("arg1", 0), U64("arg2", 8), U64("arg3", 16), U64("arg4", 24), U64("arg5", 32), U64("arg6", 40), {NULL, 0, 0, false}};
#if defined(__x86_64__) /* struct pt_regs: how the System V ABI passes arguments */
enum { REGISTERS_SIZE = 168 };
static const struct raw_field kprobe_fields[] = {
	U64("arg1", 112), U64("arg2", 104), U64("arg3", 96), U64("arg4", 88), U64("arg5", 72), U64("arg6", 64), {NULL, 0, 0, false}};
static const struct raw_field kretprobe_fields[] = {U64("ret", 80), {NULL, 0, 0, false}};
#elif defined(__aarch64__) /* struct user_pt_regs */
enum { REGISTERS_SIZE = 272 };
static const struct raw_field kprobe_fields[] = {
	U64("arg1", 0), U64("arg2", 8), U64("arg3", 16), U64("arg4", 24), U64("arg5", 32), U64("arg6", 40), {NULL, 0, 0, false}};
static const struct raw_field kretprobe_fields[] = {U64("ret", 0), {NULL, 0, 0, false}};
#else
enum { REGISTERS_SIZE = 0 };
static const struct raw_field kprobe_fields[] = {{NULL, 0, 0, false}}, kretprobe_fields[] = {{NULL, 0, 0, false}};
#endif
static const struct raw_field no_fields[] = {{NULL, 0, 0, false}};

/* What of a context the kernel lets a program read. */
static const struct {
	const struct raw_field *usual;
	uint32_t first, end; /* bytes */
	uint8_t unit;        /* size of a load, 0: any that is aligned */
} contexts[RAW_SECTIONS] = {
	[RAW_DEVICE] = {device_fields, 0, 12, 0},
	[RAW_KPROBE] = {kprobe_fields, 0, REGISTERS_SIZE, 0},
	[RAW_KRETPROBE] = {kretprobe_fields, 0, REGISTERS_SIZE, 0},
	[RAW_TRACEPOINT] = {no_fields, 8, 2048, 0},
	[RAW_RAW_TRACEPOINT] = {raw_tracepoint_fields, 0, 96, 8},
};

static const struct raw_field *find(const struct raw_field *list, const char *name)
{
	while (list->name && strcmp(list->name, name))
		list++;
	return list->name ? list : NULL;
}

static const struct raw_field *find_in(const struct raw_record *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->fields[i].name, name))
			return &r->fields[i];
	return NULL;
}

static const char *class_name(struct lifter *l, const struct layout *layout)
{
	return arena_strdup(l->arena, mrb_class_name(l->mrb, layout->class));
}

/* ---- the context --------------------------------------------------------------------------- */

/* The class in the file that has such a field; with two that differ nobody knows which is meant. */
static const struct raw_field *field_of_context(struct lifter *l, const char *name, const struct layout **in)
{
	const struct raw_said *said = &l->all->said->raw;
	const struct raw_field *found = NULL;
	for (size_t i = 0; i < said->nlayouts; i++) {
		const struct raw_field *f = find_in(&said->layouts[i].record, name);
		if (!f)
			continue;
		if (found && (found->offset != f->offset || found->size != f->size || found->is_signed != f->is_signed))
			lift_refuse(l, "give the field of one of them another name", "`%s` is a field of %s and of %s, at different places", name,
			            class_name(l, *in), class_name(l, &said->layouts[i]));
		found = found ? found : f;
		*in = *in && find_in(&(*in)->record, name) ? *in : &said->layouts[i];
	}
	return found ? found : find(contexts[l->raw->section].usual, name);
}

/* "access_type, major, minor": what can be read. */
static const char *known_fields(struct lifter *l)
{
	const struct raw_said *said = &l->all->said->raw;
	const char *list = "";
	for (const struct raw_field *f = contexts[l->raw->section].usual; f->name; f++)
		list = arena_printf(l->arena, "%s%s%s", list, *list ? ", " : "", f->name);
	for (size_t i = 0; i < said->nlayouts; i++)
		for (size_t k = 0; k < said->layouts[i].record.n && strlen(list) < 200; k++)
			if (!find(contexts[l->raw->section].usual, said->layouts[i].record.fields[k].name))
				list = arena_printf(l->arena, "%s%s%s", list, *list ? ", " : "", said->layouts[i].record.fields[k].name);
	return list;
}

static void no_field(struct lifter *l, const char *name)
{
	const char *list = known_fields(l), *rule = raw_rules_ask(l, name);
	if (rule)
		lift_refuse(l, rule, "the context of section %s has no `%s`", l->raw->section_name, name);
	lift_refuse(l, *list ? arena_printf(l->arena, "it has %s", list)
	                     : "say where its fields are: class Context; attr :common, :u64; attr :id, :s64; end",
	            "the context of section %s has no `%s`", l->raw->section_name, name);
}

/* The place of a device program's field says what it is. */
static struct val device_field(struct lifter *l, const struct raw_field *f, const struct layout *in)
{
	struct terms *ts = l->terms;
	const struct raw_field *kernels = find(device_fields, f->name);
	term type = term_input(ts, IN_TYPE), access = term_input(ts, IN_REQUESTED);
	if (kernels && kernels->offset != f->offset)
		lift_refuse(l, "declare access_type, major and minor in this order, each :u32",
		            "`%s` is at byte %u of the context, and in class %s at byte %u", f->name, kernels->offset, class_name(l, in), f->offset);
	if (f->size == 4 && f->offset == 4)
		return val_int(l, term_input(ts, IN_MAJOR));
	if (f->size == 4 && f->offset == 8)
		return val_int(l, term_input(ts, IN_MINOR));
	if (f->size == 4 && f->offset == 0)
		return val_int(l, term_op(ts, TERM_BOR, term_op(ts, TERM_SHL, access, term_const(ts, 16)), type));
	if (f->size == 2 && f->offset == 0)
		return val_int(l, type);
	if (f->size == 2 && f->offset == 2)
		return val_int(l, access);
	lift_refuse(l, "it has access_type, major and minor, in this order, each :u32", "section cgroup/dev has no field of %u bytes at byte %u",
	            f->size, f->offset);
}

static void check_field(struct lifter *l, const struct raw_field *f)
{
	enum raw_section s = l->raw->section;
	if (raw_is_text(f))
		lift_refuse(l, "use comm for the name of the process that runs", "`%s` is a text of the context, which cannot be read", f->name);
	if (f->offset < contexts[s].first || f->offset + f->size > contexts[s].end)
		lift_refuse(l, contexts[s].first ? "the first 8 bytes of a tracepoint's context are the kernel's own: begin the class with attr :common, :u64"
		                                 : "leave it out",
		            "the kernel lets no program of section %s read %u bytes at byte %u", l->raw->section_name, f->size, f->offset);
	if (contexts[s].unit && f->size != contexts[s].unit)
		lift_refuse(l, "declare it as :u64 or :s64", "a program of section %s reads %u bytes at once", l->raw->section_name, contexts[s].unit);
}

/* One value for each place in the context, however often it is read. */
static struct val context_field(struct lifter *l, const struct raw_field *f)
{
	struct raw *raw = l->raw;
	for (size_t i = 0; i < raw->nvalues; i++)
		if (raw->values[i].is_field && raw->values[i].field.offset == f->offset && raw->values[i].field.size == f->size &&
		    raw->values[i].field.is_signed == f->is_signed)
			return trail_read(l, (uint32_t)i);
	int64_t lo, hi;
	raw_bounds(f, &lo, &hi);
	uint32_t value = trail_value(l, arena_printf(l->arena, "ctx.%s", f->name), lo, hi);
	*ARENA_PUSH(l->arena, l->makes, l->nmakes, l->makes_cap) = NULL;
	raw->values[value].is_field = true;
	raw->values[value].field = *f;
	raw->values[value].field.name = arena_strdup(l->rb->arena, f->name);
	return trail_read(l, value);
}

/* Methods that any object has. */
static bool is_of_object(struct lifter *l, const struct call *c)
{
	struct RClass *owner = l->mrb->object_class;
	return !MRB_METHOD_UNDEF_P(mruby_method(l->mrb, &owner, c->mid));
}

static void takes_nothing(struct lifter *l, const struct call *c, const char *name)
{
	if (c->n || !val_is_nil(c->block))
		lift_refuse(l, arena_printf(l->arena, "write %s alone", name), "the field `%s` takes nothing", name);
}

bool raw_context(struct lifter *l, struct state *st, const struct call *c, struct flow *out)
{
	const struct layout *in = NULL;
	const char *name = ruby_name(l->rb, c->mid);
	const struct raw_field *f = field_of_context(l, name, &in);
	if (!f && is_of_object(l, c))
		return false;
	if (!f)
		no_field(l, name);
	takes_nothing(l, c, name);
	check_field(l, f);
	*out = flow_value(st, l->raw->section == RAW_DEVICE ? device_field(l, f, in) : context_field(l, f));
	return true;
}

/* ---- structures of the kernel ---------------------------------------------------------------- */

struct flow raw_structure_at(struct lifter *l, struct state *st, const struct layout *layout, const struct call *c)
{
	term address;
	if (c->n != 1 || !raw_integer(l, st, c->args[0], &address))
		lift_refuse(l, arena_printf(l->arena, "write %s.at(ctx.arg1)", class_name(l, layout)), "`at` takes an address, an Integer");
	if (l->raw->section == RAW_DEVICE)
		lift_refuse(l, "use a tracing section: kprobe, tracepoint, raw_tracepoint", "section cgroup/dev reads no memory of the kernel");
	struct peek_val *p = arena_alloc(l->arena, sizeof *p);
	*p = (struct peek_val){layout, address};
	return flow_value(st, (struct val){.kind = V_PEEK, .u.peek = p});
}

bool raw_structure(struct lifter *l, struct state *st, const struct call *c, struct flow *out)
{
	const struct peek_val *p = c->recv.u.peek;
	const char *name = ruby_name(l->rb, c->mid);
	const struct raw_field *f = find_in(&p->layout->record, name);
	int64_t lo, hi;
	if (!f && is_of_object(l, c))
		return false;
	if (!f)
		lift_refuse(l, arena_printf(l->arena, "add it: attr :%s, :u64", name), "class %s has no field `%s`", class_name(l, p->layout), name);
	takes_nothing(l, c, name);
	if (raw_is_text(f))
		lift_refuse(l, "use comm for the name of the process that runs", "`%s` is a text of the kernel, which cannot be read", name);
	raw_bounds(f, &lo, &hi);
	uint32_t value = trail_value(l, arena_printf(l->arena, "%s.%s", class_name(l, p->layout), name), lo, hi);
	struct step *s = trail_step(l, st, STEP_PEEK);
	s->args[s->nargs++].t = p->address;
	s->peek = *f; /* at its offset from there */
	s->peek.name = arena_strdup(l->rb->arena, name);
	s->value = value;
	*ARENA_PUSH(l->arena, l->makes, l->nmakes, l->makes_cap) = NULL;
	*out = flow_value(st, trail_read(l, value));
	return true;
}
