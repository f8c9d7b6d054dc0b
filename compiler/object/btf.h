/* btf.h - types under construction: what the files that write .BTF and .BTF.ext share, each above those before it. */
#ifndef DEVGUARD_COMPILER_OBJECT_BTF_H
#define DEVGUARD_COMPILER_OBJECT_BTF_H

#include "compiler/object/internal.h"
#include "compiler/object/text.h"

#include <bpf/btf.h>

enum { BTF_HEADER = 24 };

/* ---- btf_types.c --------------------------------------------------------------- */

/* libbpf's handle; the first error sticks, so that types can be added in a row. */
struct types {
	struct btf *btf;
	int error;
	int u32, u64, s64, chr, s32;
};
int types_added(struct types *t, int id);
/* With the base types. */
struct types types_begin(struct arena *a);
void types_field(struct types *t, const char *name, int type, size_t offset);
/* The place of a text that is safe on a terminal. */
uint32_t types_text(struct types *t, const char *text);
/* Copies what was added. 0, or -1 with t->error. Frees the handle. */
int types_finish(struct types *t, struct arena *a, struct bytes *out);

/* ---- btf_task.c ---------------------------------------------------------------- */

/* What readers need of .BTF, right behind the base types: so its bytes are the same in every object. */
struct task_types {
	int structs;                 /* the type of the first structure */
	uint32_t paths[TASK_FIELDS]; /* texts */
	uint32_t text;               /* ".text" */
};
void types_task(struct types *t, struct arena *a, struct task_types *out);
/* The parts of .BTF.ext for section .text: functions, lines, CO-RE records. */
void put_text_funcs(struct buffer *b, struct types *t, const struct task_types *tt, const struct text *text);
void put_text_lines(struct buffer *b, struct types *t, const struct task_types *tt, const struct text *text);
void put_text_records(struct buffer *b, const struct task_types *tt, const struct text *text);

#endif
