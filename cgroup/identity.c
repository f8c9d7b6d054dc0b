/*
 * identity.c - which file an open one is, as programs in the kernel see it.
 *
 * The kernel is asked by a program that it runs for each open file (an iterator), and that hands out the inode's fields. It
 * does nothing but load from what it is given, so it works where bpf_probe_read_kernel is forbidden; only of files on btrfs
 * it copies the number of their subvolume. Where the fields are is in the kernel's own types.
 */
#include "cgroup/identity.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/magic.h>

#include "cgroup/internal.h"
#include "cgroup/kernel_types.h"

/* What the program hands out of one file. */
struct told {
	uint64_t inode, volume;
	uint32_t fd, device, generation, owner, system;
	uint16_t mode, pad;
};

enum field { CTX_META, CTX_TASK, CTX_FD, CTX_FILE, SEQ, TGID, INODE, NUMBER, SUPER, GENERATION, OWNER, MODE, DEVICE, MAGIC, PLAIN_FIELDS,
             BTRFS_ROOT = PLAIN_FIELDS, BTRFS_INODE, BTRFS_ID, FIELDS };
static const struct { const char *type, *path; uint32_t size; } fields[FIELDS] = {
	[CTX_META] = {"bpf_iter__task_file", "meta", 8},
	[CTX_TASK] = {"bpf_iter__task_file", "task", 8},
	[CTX_FD] = {"bpf_iter__task_file", "fd", 4},
	[CTX_FILE] = {"bpf_iter__task_file", "file", 8},
	[SEQ] = {"bpf_iter_meta", "seq", 8},
	[TGID] = {"task_struct", "tgid", 4},
	[INODE] = {"file", "f_inode", 8},
	[NUMBER] = {"inode", "i_ino", 8},
	[SUPER] = {"inode", "i_sb", 8},
	[GENERATION] = {"inode", "i_generation", 4},
	[OWNER] = {"inode", "i_uid.val", 4},
	[MODE] = {"inode", "i_mode", 2},
	[DEVICE] = {"super_block", "s_dev", 4},
	[MAGIC] = {"super_block", "s_magic", 8},
	[BTRFS_ROOT] = {"btrfs_inode", "root", 8},
	[BTRFS_INODE] = {"btrfs_inode", "vfs_inode", 0},
	[BTRFS_ID] = {"btrfs_root", "root_key.objectid", 8},
};

/* ---- the program ------------------------------------------------------------------------- */

/* On the stack, below struct told: a pointer as what it is, a number. */
enum { POINTER = -(int)sizeof(struct told) - 16, NUMBER_OF_IT = POINTER + 8 };
enum { INSNS = 96, R0 = 0, R1, R2, R3, CTX = 6, FILE_OF, CALLER, FROM, STACK };
struct text {
	struct bpf_insn insns[INSNS];
	size_t n, skips[8], nskips; /* jumps to the end */
	const struct kernel_field *at;
};

static void put(struct text *t, struct bpf_insn insn)
{
	t->insns[t->n++] = insn;
}

static void load_field(struct text *t, int to, int from, enum field f)
{
	int size = fields[f].size == 8 ? BPF_DW : fields[f].size == 4 ? BPF_W : BPF_H;
	put(t, (struct bpf_insn){.code = (uint8_t)(BPF_LDX | BPF_MEM | size), .dst_reg = (uint8_t)to, .src_reg = (uint8_t)from,
	                         .off = (int16_t)t->at[f].offset});
}

static void store(struct text *t, int size, size_t offset)
{
	put(t, (struct bpf_insn){.code = (uint8_t)(BPF_STX | BPF_MEM | size), .dst_reg = STACK, .src_reg = R1,
	                         .off = (int16_t)(offset - sizeof(struct told))});
}

static void skip_if(struct text *t, struct bpf_insn jump)
{
	t->skips[t->nskips++] = t->n;
	put(t, jump);
}

static void copy_field(struct text *t, int from, enum field f, size_t offset)
{
	load_field(t, R1, from, f);
	store(t, fields[f].size == 8 ? BPF_DW : fields[f].size == 4 ? BPF_W : BPF_H, offset);
}

/* Only files of the process that reads the iterator. */
static void write_filter(struct text *t)
{
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = CTX, .src_reg = R1});
	put(t, (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid});
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = CALLER, .src_reg = R0});
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = CALLER, .imm = 32});
	load_field(t, FROM, CTX, CTX_TASK);
	skip_if(t, (struct bpf_insn){.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = FROM});
	load_field(t, FILE_OF, CTX, CTX_FILE);
	skip_if(t, (struct bpf_insn){.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = FILE_OF});
	load_field(t, R1, FROM, TGID);
	skip_if(t, (struct bpf_insn){.code = BPF_JMP | BPF_JNE | BPF_X, .dst_reg = R1, .src_reg = CALLER});
}

static void stack_address(struct text *t, int to, int at)
{
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (uint8_t)to, .src_reg = STACK});
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (uint8_t)to, .imm = at});
}

/* Eight bytes from the address in R3. What cannot be copied stays 0. */
static void copy(struct text *t, int to)
{
	stack_address(t, R1, to);
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = R2, .imm = 8});
	put(t, (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel});
}

static void copy_from(struct text *t, int64_t offset, int to)
{
	put(t, (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = R3, .src_reg = STACK, .off = NUMBER_OF_IT});
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = R3, .imm = (int32_t)offset});
	copy(t, to);
}

/* The inode in FROM is within btrfs's own, which begins before it: to where no load leads. */
static void write_volume(struct text *t)
{
	load_field(t, R1, FROM, SUPER);
	load_field(t, R1, R1, MAGIC);
	size_t other = t->n;
	put(t, (struct bpf_insn){.code = BPF_JMP32 | BPF_JNE | BPF_K, .dst_reg = R1, .imm = (int32_t)BTRFS_SUPER_MAGIC});
	put(t, (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = STACK, .src_reg = FROM, .off = POINTER});
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = R1});
	put(t, (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = STACK, .src_reg = R1, .off = NUMBER_OF_IT});
	stack_address(t, R3, POINTER);
	copy(t, NUMBER_OF_IT);
	copy_from(t, (int64_t)t->at[BTRFS_ROOT].offset - t->at[BTRFS_INODE].offset, NUMBER_OF_IT);
	copy_from(t, t->at[BTRFS_ID].offset, (int)offsetof(struct told, volume) - (int)sizeof(struct told));
	t->insns[other].off = (int16_t)(t->n - other - 1);
}

static void write_text(struct text *t, bool volumes)
{
	write_filter(t);
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = R1});
	store(t, BPF_DW, offsetof(struct told, system)); /* and what is behind it */
	store(t, BPF_DW, offsetof(struct told, volume));
	copy_field(t, CTX, CTX_FD, offsetof(struct told, fd));
	load_field(t, FROM, FILE_OF, INODE);
	copy_field(t, FROM, NUMBER, offsetof(struct told, inode));
	copy_field(t, FROM, GENERATION, offsetof(struct told, generation));
	copy_field(t, FROM, OWNER, offsetof(struct told, owner));
	copy_field(t, FROM, MODE, offsetof(struct told, mode));
	if (volumes)
		write_volume(t);
	load_field(t, FROM, FROM, SUPER);
	copy_field(t, FROM, DEVICE, offsetof(struct told, device));
	load_field(t, R1, FROM, MAGIC);
	store(t, BPF_W, offsetof(struct told, system));
	load_field(t, R1, CTX, CTX_META);
	load_field(t, R1, R1, SEQ);
	stack_address(t, R2, -(int)sizeof(struct told));
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = R3, .imm = sizeof(struct told)});
	put(t, (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_seq_write});
	for (size_t i = 0; i < t->nskips; i++)
		t->insns[t->skips[i]].off = (int16_t)(t->n - t->skips[i] - 1);
	put(t, (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = R0});
	put(t, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

/* ---- asking --------------------------------------------------------------------------------- */

static bool find_fields(struct kernel_types *types, int from, int to, struct kernel_field *at)
{
	for (int i = from; i < to; i++)
		if (!kernel_field(types, fields[i].type, fields[i].path, &at[i]) || (fields[i].size && at[i].size != fields[i].size) ||
		    at[i].offset > INT16_MAX)
			return false;
	return true;
}

static int load_text(const struct kernel_field *at, int id, bool volumes)
{
	struct text text = {.at = at};
	struct bpf_prog_load_opts opts = {.sz = sizeof opts, .expected_attach_type = BPF_TRACE_ITER, .attach_btf_id = (uint32_t)id};
	write_text(&text, volumes);
	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "devguard_files", "Dual MIT/GPL", text.insns, text.n, &opts);
}

/* The program, loaded: a descriptor or -errno; ENOENT: the kernel's types lack something. `volumes`: of btrfs, too, where
 * the kernel has their types and lets programs copy. */
static int load_asker(bool volumes)
{
	struct kernel_field at[FIELDS];
	struct kernel_types *types = kernel_types_open();
	if (!types)
		return -errno;
	int program = -ENOENT, id = kernel_function(types, "bpf_iter_task_file");
	if (id >= 0 && find_fields(types, 0, PLAIN_FIELDS, at)) {
		if (volumes && find_fields(types, PLAIN_FIELDS, FIELDS, at))
			program = load_text(at, id, true);
		if (program < 0)
			program = load_text(at, id, false);
	}
	kernel_types_close(types);
	return program;
}

/* An iterator over the files of this process, or of all, where the kernel goes over all only (before 6.1).
 * A descriptor or -errno. */
static int open_iterator(int program)
{
	union bpf_iter_link_info only = {.task.pid_fd = (uint32_t)syscall(SYS_pidfd_open, getpid(), 0)};
	struct bpf_link_create_opts opts = {.sz = sizeof opts, .iter_info = &only, .iter_info_len = sizeof only};
	bool narrow = (int)only.task.pid_fd >= 0;
	int link = narrow ? bpf_link_create(program, 0, BPF_TRACE_ITER, &opts) : -1;
	if (narrow)
		close((int)only.task.pid_fd);
	if (link < 0)
		link = bpf_link_create(program, 0, BPF_TRACE_ITER, NULL);
	if (link < 0)
		return link;
	int fd = bpf_iter_create(link);
	close(link);
	return fd;
}

struct asked { const int *fds; size_t n; struct identity *out; bool *found; };

static void keep(const struct asked *q, const struct told *t)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->fds[i] == (int)t->fd) {
			q->out[i] = (struct identity){t->inode, t->device, t->generation, t->owner, t->mode, t->system, t->volume, false};
			q->found[i] = true;
		}
}

/* All that the program hands out. 0 or -errno. */
static int read_all(int iterator, const struct asked *q)
{
	struct told told[64];
	size_t have = 0;
	for (;;) {
		ssize_t got = read(iterator, (char *)told + have, sizeof told - have);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return got < 0 ? -errno : have ? -EIO : 0;
		have += (size_t)got;
		for (size_t i = 0; i < have / sizeof *told; i++)
			keep(q, &told[i]);
		memmove(told, told + have / sizeof *told, have % sizeof *told);
		have %= sizeof *told;
	}
}

static bool is_on_btrfs(int fd)
{
	struct statfs fs;
	return !fstatfs(fd, &fs) && (uint32_t)fs.f_type == BTRFS_SUPER_MAGIC;
}

static int ask(const struct asked *q)
{
	struct rlimit before;
	bool volumes = false;
	for (size_t i = 0; i < q->n; i++)
		volumes |= is_on_btrfs(q->fds[i]);
	memlock_raise(&before);
	int program = load_asker(volumes);
	int iterator = program < 0 ? program : open_iterator(program);
	if (program >= 0)
		close(program);
	setrlimit(RLIMIT_MEMLOCK, &before);
	int error = iterator < 0 ? iterator : read_all(iterator, q);
	if (iterator >= 0)
		close(iterator);
	return error;
}

static int cannot(struct arena *a, struct diags *d, int error)
{
	if (error == -ENOENT)
		return diag_fail(d, "use a kernel with CONFIG_DEBUG_INFO_BTF=y, 5.10 or later, or leave out ctx.exe and ctx.parent_exe",
		                 "this kernel does not tell its types: which files ctx.exe names cannot be found out");
	return diag_fail(d, error_hint(a, -error, "see `rucy-devguard doctor` and the kernel log"),
	                 "cannot ask the kernel which files ctx.exe names: %s", strerror(-error));
}

int identities_of(struct arena *a, struct diags *d, const int *fds, size_t n, struct identity *out)
{
	struct asked q = {fds, n, out, arena_alloc(a, (n + 1) * sizeof *q.found)};
	int error = n ? ask(&q) : 0;
	for (size_t i = 0; i < n && !error; i++)
		if (!q.found[i])
			error = -EBADF;
	for (size_t i = 0; i < n && !error; i++)
		out[i].untold = !out[i].volume && out[i].system == BTRFS_SUPER_MAGIC;
	return error ? cannot(a, d, error) : 0;
}

struct who_key identity_key(const struct identity *id)
{
	return (struct who_key){id->inode, id->device, id->generation, id->volume};
}
