/*
 * reader.c - the readers: what each looks at, and what it makes of it.
 *
 * A reader has two bodies, for loads and for bpf_probe_read_kernel. It takes the first one that the frozen .rodata says
 * this kernel takes (enum feature); the kernel's verifier never looks at the other. Credentials are those of the task
 * (real_cred), not those it may act with for a moment. A pointer that is null ends the reading: not told.
 */
#include "compiler/task/internal.h"
#include "policy/input.h"

enum {
	CHAIN_MAX = 4,
	HOST_USER_NS = 0xEFFFFFFD, /* PROC_USER_INIT_INO, include/linux/proc_ns.h */
	KERNEL_THREAD_BIT = 21,    /* of PF_KTHREAD */
	FMODE_EXEC = 0x20,         /* include/linux/fs.h */
	OTHERS_WRITE = 022,        /* S_IWGRP | S_IWOTH */
	BTRFS = 0x9123683E,        /* BTRFS_SUPER_MAGIC, include/uapi/linux/magic.h */
};

/* What is made of what stands at the end of a chain. */
enum ending { END_NUMBER, END_IS, END_BIT, END_FILE, END_GROUP, END_CAPABLE, END_UNDER };

static const struct reader_def {
	const char *name;
	enum ending ending;
	uint32_t number; /* of END_IS, END_BIT */
	enum task_field chain[CHAIN_MAX];
	int n;
} defs[READERS] = {
#define CHAIN(...) .chain = {__VA_ARGS__}, .n = sizeof (enum task_field[]){__VA_ARGS__} / sizeof(enum task_field)
	[READER_EUID] = {"euid", END_NUMBER, CHAIN(FIELD_TASK_REAL_CRED, FIELD_CRED_EUID)},
	[READER_EGID] = {"egid", END_NUMBER, CHAIN(FIELD_TASK_REAL_CRED, FIELD_CRED_EGID)},
	[READER_FSUID] = {"fsuid", END_NUMBER, CHAIN(FIELD_TASK_REAL_CRED, FIELD_CRED_FSUID)},
	[READER_LOGIN_UID] = {"login_uid", END_NUMBER, CHAIN(FIELD_TASK_LOGIN_UID)},
	[READER_SESSION] = {"session", END_NUMBER, CHAIN(FIELD_TASK_SESSION)},
	[READER_HOST_USER_NS] = {"host_user_ns", END_IS, HOST_USER_NS,
	                         CHAIN(FIELD_TASK_REAL_CRED, FIELD_CRED_USER_NS, FIELD_NS_INUM)},
	[READER_HOST_PID_NS] = {"host_pid_ns", END_IS, 0, CHAIN(FIELD_TASK_THREAD_PID, FIELD_PID_LEVEL)},
	[READER_KERNEL_THREAD] = {"kernel_thread", END_BIT, KERNEL_THREAD_BIT, CHAIN(FIELD_TASK_FLAGS)},
	[READER_PPID] = {"ppid", END_NUMBER, CHAIN(FIELD_TASK_REAL_PARENT, FIELD_TASK_TGID)},
	[READER_EXE] = {"exe", END_FILE, CHAIN(FIELD_TASK_MM, FIELD_MM_EXE, FIELD_FILE_INODE)},
	[READER_PARENT_EXE] = {"parent_exe", END_FILE, CHAIN(FIELD_TASK_REAL_PARENT, FIELD_TASK_MM, FIELD_MM_EXE, FIELD_FILE_INODE)},
	[READER_GROUP] = {"in_group", END_GROUP, CHAIN(FIELD_TASK_REAL_CRED)},
	[READER_CAPABLE] = {"capable", END_CAPABLE, CHAIN(FIELD_TASK_REAL_CRED)},
	[READER_UNDER] = {.name = "under", .ending = END_UNDER},
#undef CHAIN
};

/* A kernel thread has no memory, and so no file; every other pointer is there. */
static struct jumps *null_of(struct walk *w, enum task_field f)
{
	return f == FIELD_TASK_MM || f == FIELD_MM_EXE ? &w->no : &w->untold;
}

/* ---- endings ------------------------------------------------------------------------- */

/* The name that devguard_who has for the key on the stack; 0: none. */
static void look_up(struct walk *w)
{
	struct code *c = &w->code;
	walk_address(w, BPF_REG_1, TARGET_WHO);
	stack_address(c, BPF_REG_2, STACK_KEY);
	call(c, BPF_FUNC_map_lookup_elem);
	jump_later(w, &w->no, jump_if(c, BPF_JEQ, BPF_REG_0, 0));
	load(c, BPF_DW, REG_AT, BPF_REG_0, 0);
}

#define KEY(field) (STACK_KEY + (int)offsetof(struct who_key, field))

static void key_field(struct walk *w, enum task_field f, int base, uint8_t size, int off)
{
	walk_field(w, f, base, BPF_REG_1);
	store(&w->code, size, BPF_REG_10, off, BPF_REG_1);
}

/* Files of two subvolumes of btrfs can have the same numbers. The subvolume is told by the structure that the inode is in,
 * to which no load leads: only a copy. */
static void key_volume(struct walk *w, struct jumps *copies)
{
	struct code *c = &w->code;
	walk_field(w, FIELD_SB_MAGIC, REG_OTHER, BPF_REG_1);
	size_t btrfs = code_add(c, BPF_JMP32 | (w->loads ? BPF_JEQ : BPF_JNE) | BPF_K, BPF_REG_1, 0, 0, (int32_t)BTRFS);
	if (w->loads) {
		jump_later(w, copies, btrfs);
		return;
	}
	walk_exists(w, FIELD_BTRFS_INODE_INODE, BPF_REG_1);
	jump_later(w, &w->no, jump_if(c, BPF_JEQ, BPF_REG_1, 0));
	walk_out(w, FIELD_BTRFS_INODE_INODE, REG_AT);
	walk_pointer(w, FIELD_BTRFS_INODE_ROOT, REG_AT, REG_AT, &w->untold);
	key_field(w, FIELD_BTRFS_KEY_ID, REG_AT, BPF_DW, KEY(volume));
	code_land(c, btrfs);
}

/* An inode: only of a file that is root's, and that nobody else can write. */
static void end_file(struct walk *w, struct jumps *copies)
{
	struct code *c = &w->code;
	walk_field(w, FIELD_INODE_UID, REG_AT, BPF_REG_1);
	jump_later(w, &w->no, jump_if(c, BPF_JNE, BPF_REG_1, 0));
	walk_field(w, FIELD_INODE_MODE, REG_AT, BPF_REG_1);
	alu_imm(c, BPF_AND, BPF_REG_1, OTHERS_WRITE);
	jump_later(w, &w->no, jump_if(c, BPF_JNE, BPF_REG_1, 0));
	key_field(w, FIELD_INODE_INO, REG_AT, BPF_DW, KEY(id));
	key_field(w, FIELD_INODE_GENERATION, REG_AT, BPF_W, KEY(generation));
	walk_pointer(w, FIELD_INODE_SB, REG_AT, REG_OTHER, &w->untold);
	key_field(w, FIELD_SB_DEVICE, REG_OTHER, BPF_W, KEY(device));
	store_imm(c, BPF_DW, BPF_REG_10, KEY(volume), 0);
	key_volume(w, copies);
	look_up(w);
	walk_end(w, REG_AT);
}

/* Credentials: in the host's user namespace, and the capability is effective. */
static void end_capable(struct walk *w)
{
	struct code *c = &w->code;
	walk_pointer(w, FIELD_CRED_USER_NS, REG_AT, REG_OTHER, &w->untold);
	walk_field(w, FIELD_NS_INUM, REG_OTHER, BPF_REG_1);
	jump_later(w, &w->no, code_add(c, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_1, 0, 0, (int32_t)HOST_USER_NS));
	walk_field(w, FIELD_CRED_CAPABLE, REG_AT, REG_AT);
	code_add(c, BPF_ALU64 | BPF_RSH | BPF_X, REG_AT, REG_ARGUMENT, 0, 0);
	alu_imm(c, BPF_AND, REG_AT, 1);
	walk_end(w, REG_AT);
}

static void end_is(struct walk *w, uint32_t number)
{
	struct code *c = &w->code;
	jump_later(w, &w->no, code_add(c, BPF_JMP32 | BPF_JNE | BPF_K, REG_AT, 0, 0, (int32_t)number));
	walk_end_with(w, 1);
}

/* ---- bodies -------------------------------------------------------------------------- */

/* The memory of a kernel thread is borrowed. A file that was not opened to be executed is one that a process claims to be
 * (prctl PR_SET_MM_EXE_FILE). */
static void before(struct walk *w, enum task_field f)
{
	if (f == FIELD_TASK_MM)
		walk_when_flags(w, FIELD_TASK_FLAGS, PF_KTHREAD, true, &w->no);
	if (f == FIELD_FILE_INODE)
		walk_when_flags(w, FIELD_FILE_FLAGS, FMODE_EXEC, false, &w->no);
}

/* *copies: where this body needs bpf_probe_read_kernel. */
static void body(struct walk *w, const struct reader_def *def, struct jumps *copies)
{
	walk_begin(w);
	if (def->ending != END_FILE)
		walk_no_worker(w);
	for (int i = 0; i < def->n; i++) {
		enum task_field f = def->chain[i];
		before(w, f);
		if (task_fields[f].shape == FIELD_POINTER)
			walk_pointer(w, f, REG_AT, REG_AT, null_of(w, f));
		else
			walk_field(w, f, REG_AT, REG_AT);
	}
	switch (def->ending) {
	case END_IS: end_is(w, def->number); break;
	case END_FILE: end_file(w, copies); break;
	case END_GROUP: read_group(w, copies); break;
	case END_CAPABLE: end_capable(w); break;
	case END_BIT:
		alu_imm(&w->code, BPF_RSH, REG_AT, (int32_t)def->number);
		alu_imm(&w->code, BPF_AND, REG_AT, 1);
		walk_end(w, REG_AT);
		break;
	default: walk_end(w, REG_AT);
	}
}

/* Linux 6.1 keeps no ids of a cgroup's ancestors, and tells them by a function, which older ones lack here. */
static void under(struct walk *w)
{
	struct code *c = &w->code;
	walk_exists(w, FIELD_CGROUP_ANCESTORS, BPF_REG_1);
	size_t old = jump_if(c, BPF_JNE, BPF_REG_1, 0);
	move(c, BPF_REG_1, REG_ARGUMENT);
	call(c, BPF_FUNC_get_current_ancestor_cgroup_id);
	move(c, BPF_REG_1, BPF_REG_0);
	size_t told = jump(c);
	code_land(c, old);
	jump_later(w, &w->untold, walk_without(w, FEATURE_TASK_READ));
	walk_begin(w);
	walk_no_worker(w);
	walk_pointer(w, FIELD_TASK_CGROUPS, REG_AT, REG_AT, &w->untold);
	walk_pointer(w, FIELD_CSS_SET_CGROUP, REG_AT, REG_AT, &w->untold);
	walk_field(w, FIELD_CGROUP_LEVEL, REG_AT, BPF_REG_1);
	jump_later(w, &w->no, code_add(c, BPF_JMP | BPF_JGT | BPF_X, REG_ARGUMENT, BPF_REG_1, 0, 0));
	move(c, BPF_REG_3, REG_ARGUMENT);
	alu_imm(c, BPF_LSH, BPF_REG_3, 3);
	code_add(c, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_3, REG_AT, 0, 0);
	walk_offset(w, FIELD_CGROUP_ANCESTORS, BPF_REG_3);
	walk_copy(w, 8);
	load(c, BPF_DW, BPF_REG_1, BPF_REG_10, STACK_COPY);
	code_land(c, told);
	store(c, BPF_DW, BPF_REG_10, KEY(id), BPF_REG_1);
	store_imm(c, BPF_W, BPF_REG_10, KEY(device), (int32_t)WHO_DEVICE_CGROUP);
	store_imm(c, BPF_W, BPF_REG_10, KEY(generation), 0);
	store_imm(c, BPF_DW, BPF_REG_10, KEY(volume), 0);
	look_up(w);
	jump_later(w, &w->no, code_add(c, BPF_JMP | BPF_JNE | BPF_X, REG_AT, REG_OTHER, 0, 0));
	walk_end_with(w, 1);
}

const char *reader_name(enum reader r)
{
	return defs[r].name;
}

struct reader_code reader_code(struct arena *a, enum reader r)
{
	const struct reader_def *def = &defs[r];
	struct walk w = {.code = {.arena = a}};
	struct code *c = &w.code;
	struct jumps copies = {0};
	bool asked = def->ending >= END_GROUP;
	if (asked)
		move(c, REG_ARGUMENT, BPF_REG_1);
	if (def->ending == END_UNDER)
		move(c, REG_OTHER, BPF_REG_2);
	walk_address(&w, BPF_REG_1, TARGET_HEADER);
	load(c, BPF_W, REG_FEATURES, BPF_REG_1, (int)offsetof(struct image_header, features));
	if (def->ending == END_UNDER) {
		under(&w);
	} else {
		jump_later(&w, &copies, walk_without(&w, FEATURE_TASK_BTF));
		w.loads = true;
		body(&w, def, &copies);
		jumps_land(&w, &copies);
		jump_later(&w, &w.untold, walk_without(&w, FEATURE_TASK_READ));
		w.loads = false;
		body(&w, def, NULL);
	}
	if (w.no.n) {
		jumps_land(&w, &w.no);
		walk_end_with(&w, 0);
	}
	jumps_land(&w, &w.untold);
	walk_end_with(&w, -1);
	return (struct reader_code){.nargs = asked + (def->ending == END_UNDER), .insns = c->insns, .ninsns = c->n,
	                            .relocs = c->relocs, .nrelocs = c->nrelocs, .records = w.records, .nrecords = w.nrecords,
	                            .longest = code_longest(a, c->insns, c->n, NULL)};
}
