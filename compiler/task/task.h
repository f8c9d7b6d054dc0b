/*
 * task.h - functions of a program that read the calling task.
 *
 * Each fact of policy/facts.def that is read of the task, and each kind of question (policy/asked.h), has a reader: a small
 * BPF function in section .text of an object. A program calls it with arguments in r1 and r2; it returns the value, which is
 * never negative, or something negative: this kernel does not tell it. It uses at most READER_STACK bytes of stack.
 */
#ifndef DEVGUARD_COMPILER_TASK_TASK_H
#define DEVGUARD_COMPILER_TASK_TASK_H

#include <linux/bpf.h>
#include <stddef.h>

#include "policy/arena.h"
#include "policy/asked.h"
#include "policy/image.h"

enum { READER_STACK = 64 };

/* What a reader is given: nothing, unless said. */
enum reader {
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) READER_##id,
#include "policy/facts.def"
	READER_GROUP,   /* r1: the gid */
	READER_CAPABLE, /* r1: the capability's number */
	READER_UNDER,   /* r1: how many parts its path has, r2: its path_value() */
	READERS
};
static inline enum reader reader_of_fact(enum input in)
{
	return (enum reader)(in - IN_EUID);
}
static inline enum reader reader_of_ask(enum ask_kind kind)
{
	return (enum reader)(READER_GROUP + (int)kind);
}

/* ---- fields.c: the fields of the kernel's structures that readers look at ------------------ */

enum task_struct {
	STRUCT_NONE = -1,
#define STRUCT(id, name) STRUCT_##id,
#include "compiler/task/fields.def"
	TASK_STRUCTS
};
enum task_field {
#define FIELD(owner, id, name, shape, bytes, to) FIELD_##owner##_##id,
#include "compiler/task/fields.def"
	TASK_FIELDS
};
enum field_shape { FIELD_NUMBER, FIELD_WRAPPED, FIELD_POINTER, FIELD_INSIDE, FIELD_NUMBERS, FIELD_WRAPS };
struct field_def {
	enum task_struct owner, to;
	const char *name;
	enum field_shape shape;
	uint32_t bytes; /* of a load; of one, when there are many */
};
extern const struct field_def task_fields[TASK_FIELDS];
extern const char *const task_structs[TASK_STRUCTS];

/* The structure that a field's offset counts from: of a field of a structure that is inside another, the outer one. */
enum task_struct field_root(enum task_field f);
/* The field's offset in the structures of an object. */
uint32_t field_offset(enum task_field f);
/* The field as a CO-RE record names it: "0:7". */
const char *field_path(struct arena *a, enum task_field f);

/* ---- reader.c ------------------------------------------------------------------------------ */

/* What a CO-RE record of an instruction asks of the kernel: the offset of a field, which goes into `off` of a load and
 * into `imm` of other instructions, or whether it is there, 1 or 0. By the numbers of enum bpf_core_relo_kind. */
enum field_question { FIELD_OFFSET = 0, FIELD_EXISTS = 2 };
struct field_record {
	uint32_t insn;
	enum task_field field;
	enum field_question question;
};

struct reader_code {
	int nargs; /* of r1 and r2 */
	const struct bpf_insn *insns;
	size_t ninsns;
	const struct image_reloc *relocs; /* TARGET_HEADER and TARGET_WHO */
	size_t nrelocs;
	const struct field_record *records; /* by ascending instruction */
	size_t nrecords;
	unsigned longest; /* instructions on the longest path */
};
/* "euid", "in_group" */
const char *reader_name(enum reader r);
/* Its jumps go forward only. */
struct reader_code reader_code(struct arena *a, enum reader r);

/* ---- argument.c ---------------------------------------------------------------------------- */

/* r1 of an ask's reader: its number; of ASK_UNDER the parts of its path. */
int64_t reader_argument(const struct ask *ask);

#endif
