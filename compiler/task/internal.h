/* internal.h - what the files of compiler/task/ share: the kernel's structures, and code that goes through them. */
#ifndef DEVGUARD_COMPILER_TASK_INTERNAL_H
#define DEVGUARD_COMPILER_TASK_INTERNAL_H

#include "compiler/bpf/instructions.h"
#include "compiler/task/task.h"

/* ---- walk.c: loads along a chain of fields ------------------------------------------- */

/* Jumps to one place further on. */
struct jumps {
	size_t *at;
	size_t n, cap;
};

enum { PF_KTHREAD = 0x200000 }; /* include/linux/sched.h */

/* What a reader keeps; REG_FEATURES only where the kernel takes loads. */
enum {
	REG_ARGUMENT = BPF_REG_6, /* r1 of its call */
	REG_AT = BPF_REG_7,       /* the structure it is at, at the end the field */
	REG_OTHER = BPF_REG_8,
	REG_FEATURES = BPF_REG_9,
	STACK_COPY = -8,          /* what bpf_probe_read_kernel copied */
	STACK_KEY = -32,          /* struct who_key */
};

/* A reader under construction. */
struct walk {
	struct code code;
	struct field_record *records;
	size_t nrecords, records_cap;
	bool loads;          /* the kernel takes loads of the task; else bpf_probe_read_kernel copies */
	struct jumps untold; /* ways on which the kernel does not tell it, */
	struct jumps no;     /* and on which the value is 0 */
};

void jump_later(struct walk *w, struct jumps *j, size_t at);
void jumps_land(struct walk *w, struct jumps *j);
/* The address of a map or of the header. */
void walk_address(struct walk *w, int dst, enum image_target target);
/* A jump taken when this kernel lacks the feature. */
size_t walk_without(struct walk *w, enum feature feature);
/* The task into REG_AT. */
void walk_begin(struct walk *w);
/* A jump taken when one of the flags is set in this field of the structure at REG_AT, or none is. */
void walk_when_flags(struct walk *w, enum task_field f, int32_t flags, bool set, struct jumps *j);
/* A worker of io_uring acts for a process; its credentials may be those of an earlier day, or of the kernel. Nothing is told
 * of one that acts with others than its own, or whose own are not those of the first thread of its process. */
void walk_no_worker(struct walk *w);
/* A field of the structure whose address is in `base`, into a register. */
void walk_field(struct walk *w, enum task_field f, int base, int dst);
/* A pointer: jumps to `null` when it is. */
void walk_pointer(struct walk *w, enum task_field f, int base, int dst, struct jumps *null);
/* Adds the field's offset. */
void walk_offset(struct walk *w, enum task_field f, int reg);
/* From a structure to the one that it is in, as this field. */
void walk_out(struct walk *w, enum task_field f, int reg);
/* Is the field there in this kernel? 1 or 0 into a register. */
void walk_exists(struct walk *w, enum task_field f, int reg);
/* `bytes` from the address in r3 to STACK_COPY. */
void walk_copy(struct walk *w, uint32_t bytes);
/* Ends with the value of a register, or with a number. */
void walk_end(struct walk *w, int reg);
void walk_end_with(struct walk *w, int value);

/* ---- group.c ------------------------------------------------------------------------- */

/* Is the gid in REG_ARGUMENT one of the credentials at REG_AT? */
void read_group(struct walk *w, struct jumps *copies);

#endif
