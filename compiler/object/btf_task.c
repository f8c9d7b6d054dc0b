/*
 * btf_task.c - what an object with readers has in .BTF and .BTF.ext for them.
 *
 * The kernel's structures with the fields that readers look at, and a CO-RE record for each instruction that has the offset
 * of one: libbpf finds the field in this kernel's own BTF and writes its offset there.
 */
#include "compiler/object/btf.h"

/* Types that fields have, by their numbers: all are known before they are added. */
struct field_types {
	int u16, wrapped4, wrapped8, structs, pointers, numbers, wraps;
};

static struct field_types plan(int next)
{
	struct field_types f = {.u16 = next, .wrapped4 = next + 1, .wrapped8 = next + 2, .structs = next + 3};
	f.pointers = f.structs + TASK_STRUCTS;
	f.numbers = f.pointers + TASK_STRUCTS;
	f.wraps = f.numbers + 1;
	return f;
}

static int field_type(const struct types *t, const struct field_types *f, const struct field_def *def)
{
	switch (def->shape) {
	case FIELD_NUMBER: return def->bytes == 2 ? f->u16 : def->bytes == 4 ? t->u32 : t->u64;
	case FIELD_WRAPPED: return def->bytes == 4 ? f->wrapped4 : f->wrapped8;
	case FIELD_POINTER: return f->pointers + (int)def->to;
	case FIELD_INSIDE: return f->structs + (int)def->to;
	case FIELD_NUMBERS: return f->numbers;
	default: return f->wraps;
	}
}

static void add_struct(struct types *t, const struct field_types *f, int s)
{
	uint32_t n = 0;
	for (int i = 0; i < TASK_FIELDS; i++)
		n += (int)task_fields[i].owner == s;
	types_added(t, btf__add_struct(t->btf, task_structs[s], 8 * n));
	n = 0;
	for (int i = 0; i < TASK_FIELDS; i++)
		if ((int)task_fields[i].owner == s)
			types_field(t, task_fields[i].name, field_type(t, f, &task_fields[i]), 8 * n++);
}

void types_task(struct types *t, struct arena *a, struct task_types *out)
{
	int first = types_added(t, btf__add_int(t->btf, "unsigned short", 2, 0));
	struct field_types f = plan(first);
	types_added(t, btf__add_struct(t->btf, NULL, 4));
	types_added(t, btf__add_struct(t->btf, NULL, 8));
	for (int s = 0; s < TASK_STRUCTS; s++)
		add_struct(t, &f, s);
	for (int s = 0; s < TASK_STRUCTS; s++)
		types_added(t, btf__add_ptr(t->btf, f.structs + s));
	types_added(t, btf__add_array(t->btf, t->u32, t->u64, 0));
	types_added(t, btf__add_array(t->btf, t->u32, f.wrapped4, 0));
	out->structs = f.structs;
	for (int i = 0; i < TASK_FIELDS; i++)
		out->paths[i] = types_text(t, field_path(a, (enum task_field)i));
	out->text = types_text(t, ".text");
}

/* long long NAME(unsigned long long r1, ...) */
static int reader_type(struct types *t, const struct text_reader *tr)
{
	static const char *const names[] = {"r1", "r2"};
	int proto = types_added(t, btf__add_func_proto(t->btf, t->s64));
	for (int i = 0; i < tr->code.nargs; i++)
		types_added(t, btf__add_func_param(t->btf, names[i], t->u64));
	return types_added(t, btf__add_func(t->btf, tr->name, BTF_FUNC_STATIC, proto));
}

void put_text_funcs(struct buffer *b, struct types *t, const struct task_types *tt, const struct text *text)
{
	const uint32_t head[] = {tt->text, (uint32_t)text->n};
	buffer_put(b, head, sizeof head);
	for (size_t i = 0; i < text->n; i++) {
		const struct text_reader *tr = &text->readers[i];
		const uint32_t func[] = {tr->at * 8, (uint32_t)reader_type(t, tr)};
		buffer_put(b, func, sizeof func);
	}
}

void put_text_lines(struct buffer *b, struct types *t, const struct task_types *tt, const struct text *text)
{
	const uint32_t head[] = {tt->text, (uint32_t)text->n};
	uint32_t file = types_text(t, "rucy-devguard");
	buffer_put(b, head, sizeof head);
	for (size_t i = 0; i < text->n; i++) {
		const struct text_reader *tr = &text->readers[i];
		const uint32_t line[] = {tr->at * 8, file, types_text(t, tr->name), 0};
		buffer_put(b, line, sizeof line);
	}
}

void put_text_records(struct buffer *b, const struct task_types *tt, const struct text *text)
{
	uint32_t head[] = {RECORD_FIELD, tt->text, 0};
	for (size_t i = 0; i < text->n; i++)
		head[2] += (uint32_t)text->readers[i].code.nrecords;
	buffer_put(b, head, sizeof head);
	for (size_t i = 0; i < text->n; i++) {
		const struct text_reader *tr = &text->readers[i];
		for (size_t k = 0; k < tr->code.nrecords; k++) {
			const struct field_record *r = &tr->code.records[k];
			const uint32_t record[] = {(tr->at + r->insn) * 8, (uint32_t)(tt->structs + (int)field_root(r->field)),
			                           tt->paths[r->field], r->question};
			buffer_put(b, record, sizeof record);
		}
	}
}
