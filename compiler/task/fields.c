/* fields.c - the fields of the kernel's structures that readers look at, as an object has them. */
#include "compiler/task/task.h"

const char *const task_structs[TASK_STRUCTS] = {
#define STRUCT(id, name) #name,
#include "compiler/task/fields.def"
};

const struct field_def task_fields[TASK_FIELDS] = {
#define FIELD(owner, id, name, shape, bytes, to) {STRUCT_##owner, STRUCT_##to, #name, FIELD_##shape, bytes},
#include "compiler/task/fields.def"
};

/* How many fields of its structure stand before it. */
static uint32_t place(enum task_field f)
{
	uint32_t n = 0;
	while (n < f && task_fields[f - n - 1].owner == task_fields[f].owner)
		n++;
	return n;
}

/* The field that a structure is, when it is inside another; TASK_FIELDS: it stands alone. */
static enum task_field inside(enum task_struct s)
{
	enum task_field f = 0;
	while (f < TASK_FIELDS && (task_fields[f].shape != FIELD_INSIDE || task_fields[f].to != s))
		f++;
	return f;
}

enum task_struct field_root(enum task_field f)
{
	enum task_field outer = inside(task_fields[f].owner);
	return outer < TASK_FIELDS ? field_root(outer) : task_fields[f].owner;
}

uint32_t field_offset(enum task_field f)
{
	enum task_field outer = inside(task_fields[f].owner);
	return 8 * place(f) + (outer < TASK_FIELDS ? field_offset(outer) : 0);
}

const char *field_path(struct arena *a, enum task_field f)
{
	enum task_field outer = inside(task_fields[f].owner);
	const char *before = outer < TASK_FIELDS ? field_path(a, outer) : "0";
	bool many = task_fields[f].shape == FIELD_NUMBERS || task_fields[f].shape == FIELD_WRAPS;
	return arena_printf(a, "%s:%u%s", before, place(f), many ? ":0" : "");
}
