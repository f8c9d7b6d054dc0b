/*
 * walk.c - from the calling task along a chain of fields, in one of two ways.
 *
 * Where the kernel takes loads of the task, a field is one load. Elsewhere bpf_probe_read_kernel copies it to the stack.
 * Either way the field's offset is a number that a CO-RE record names, so that who loads the program puts this kernel's
 * own there.
 */
#include "compiler/task/internal.h"

enum { PF_IO_WORKER = 0x10, PF_IO_WORKER_OLD = 0x20000000 }; /* include/linux/sched.h; before Linux 5.12 */

void jump_later(struct walk *w, struct jumps *j, size_t at)
{
	*ARENA_PUSH(w->code.arena, j->at, j->n, j->cap) = at;
}

void jumps_land(struct walk *w, struct jumps *j)
{
	for (size_t i = 0; i < j->n; i++)
		code_land(&w->code, j->at[i]);
	j->n = 0;
}

void walk_address(struct walk *w, int dst, enum image_target target)
{
	struct code *c = &w->code;
	*ARENA_PUSH(c->arena, c->relocs, c->nrelocs, c->relocs_cap) = (struct image_reloc){(uint32_t)c->n, target};
	code_imm64(c, dst, 0);
}

size_t walk_without(struct walk *w, enum feature feature)
{
	move(&w->code, BPF_REG_1, REG_FEATURES);
	alu_imm(&w->code, BPF_AND, BPF_REG_1, (int32_t)feature);
	return jump_if(&w->code, BPF_JEQ, BPF_REG_1, 0);
}

/* The next instruction depends on the field. */
static void record(struct walk *w, enum task_field f, enum field_question question)
{
	*ARENA_PUSH(w->code.arena, w->records, w->nrecords, w->records_cap) =
		(struct field_record){(uint32_t)w->code.n, f, question};
}

void walk_begin(struct walk *w)
{
	call(&w->code, w->loads ? BPF_FUNC_get_current_task_btf : BPF_FUNC_get_current_task);
	move(&w->code, REG_AT, BPF_REG_0);
}

void walk_when_flags(struct walk *w, enum task_field f, int32_t flags, bool set, struct jumps *j)
{
	walk_field(w, f, REG_AT, BPF_REG_1);
	alu_imm(&w->code, BPF_AND, BPF_REG_1, flags);
	jump_later(w, j, jump_if(&w->code, set ? BPF_JNE : BPF_JEQ, BPF_REG_1, 0));
}

void walk_no_worker(struct walk *w)
{
	struct code *c = &w->code;
	const int own = w->loads ? BPF_REG_2 : REG_FEATURES; /* a copy is a call */
	struct jumps plain = {0};
	walk_when_flags(w, FIELD_TASK_FLAGS, PF_KTHREAD | PF_IO_WORKER | (w->loads ? 0 : PF_IO_WORKER_OLD), false, &plain);
	walk_field(w, FIELD_TASK_REAL_CRED, REG_AT, own);
	walk_field(w, FIELD_TASK_CRED, REG_AT, BPF_REG_1);
	jump_later(w, &w->untold, code_add(c, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_1, own, 0, 0));
	walk_pointer(w, FIELD_TASK_LEADER, REG_AT, REG_OTHER, &w->untold);
	walk_field(w, FIELD_TASK_REAL_CRED, REG_OTHER, BPF_REG_1);
	jump_later(w, &w->untold, code_add(c, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_1, own, 0, 0));
	jumps_land(w, &plain);
}

static uint8_t load_size(uint32_t bytes)
{
	return bytes == 8 ? BPF_DW : bytes == 4 ? BPF_W : BPF_H;
}

void walk_copy(struct walk *w, uint32_t bytes)
{
	struct code *c = &w->code;
	stack_address(c, BPF_REG_1, STACK_COPY);
	code_const(c, BPF_REG_2, bytes);
	call(c, BPF_FUNC_probe_read_kernel);
	jump_later(w, &w->untold, jump_if(c, BPF_JNE, BPF_REG_0, 0));
}

void walk_offset(struct walk *w, enum task_field f, int reg)
{
	record(w, f, FIELD_OFFSET);
	alu_imm(&w->code, BPF_ADD, reg, (int32_t)field_offset(f));
}

void walk_out(struct walk *w, enum task_field f, int reg)
{
	record(w, f, FIELD_OFFSET);
	alu_imm(&w->code, BPF_SUB, reg, (int32_t)field_offset(f));
}

void walk_exists(struct walk *w, enum task_field f, int reg)
{
	record(w, f, FIELD_EXISTS);
	alu_imm(&w->code, BPF_MOV, reg, 1);
}

void walk_field(struct walk *w, enum task_field f, int base, int dst)
{
	struct code *c = &w->code;
	uint8_t size = load_size(task_fields[f].bytes);
	if (w->loads) {
		record(w, f, FIELD_OFFSET);
		load(c, size, dst, base, (int)field_offset(f));
		return;
	}
	move(c, BPF_REG_3, base);
	walk_offset(w, f, BPF_REG_3);
	walk_copy(w, task_fields[f].bytes);
	load(c, size, dst, BPF_REG_10, STACK_COPY);
}

void walk_pointer(struct walk *w, enum task_field f, int base, int dst, struct jumps *null)
{
	walk_field(w, f, base, dst);
	jump_later(w, null, jump_if(&w->code, BPF_JEQ, dst, 0));
}

void walk_end(struct walk *w, int reg)
{
	move(&w->code, BPF_REG_0, reg);
	code_add(&w->code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

void walk_end_with(struct walk *w, int value)
{
	code_const(&w->code, BPF_REG_0, value);
	code_add(&w->code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}
