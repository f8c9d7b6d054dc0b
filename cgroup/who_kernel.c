/*
 * who_kernel.c - what this kernel tells programs of the calling task: by its own types, and by which of two ways.
 */
#include "cgroup/who.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "cgroup/internal.h"
#include "cgroup/kernel_types.h"

/* ---- by its types ----------------------------------------------------------------------------- */

/* Fields that a fact or a kind of question cannot do without. */
static const struct need { enum input fact; int ask; const char *type, *field, *config; } needs[] = {
	{IN_EUID, -1, "cred", "euid.val", NULL},
	{IN_EGID, -1, "cred", "egid.val", NULL},
	{IN_FSUID, -1, "cred", "fsuid.val", NULL},
	{IN_LOGIN_UID, -1, "task_struct", "loginuid.val", "CONFIG_AUDIT=y"},
	{IN_SESSION, -1, "task_struct", "sessionid", "CONFIG_AUDIT=y"},
	{IN_HOST_USER_NS, -1, "user_namespace", "ns.inum", NULL},
	{IN_HOST_PID_NS, -1, "pid", "level", NULL},
	{IN_KERNEL_THREAD, -1, "task_struct", "flags", NULL},
	{IN_PPID, -1, "task_struct", "real_parent", NULL},
	{IN_EXE, -1, "mm_struct", "exe_file", "CONFIG_MMU=y"},
	{IN_EXE, -1, "inode", "i_generation", NULL},
	{IN_PARENT_EXE, -1, "mm_struct", "exe_file", "CONFIG_MMU=y"},
	{IN_PARENT_EXE, -1, "inode", "i_generation", NULL},
	{0, ASK_GROUP, "group_info", "ngroups", NULL},
	{0, ASK_CAPABLE, "cred", "cap_effective", NULL},
	{0, ASK_UNDER, "cgroup", "self", "CONFIG_CGROUPS=y"},
};

static bool is_read(const struct need *n, const struct who_reads *reads)
{
	return n->ask < 0 ? reads->facts & INPUT(n->fact) : reads->asks & 1u << n->ask;
}

/* As Ruby calls it. */
static const char *called(struct arena *a, const struct need *n)
{
	static const char *const asks[ASK_KINDS] = {[ASK_GROUP] = "in_group?", [ASK_CAPABLE] = "capable?", [ASK_UNDER] = "under?"};
	if (n->ask >= 0)
		return arena_printf(a, "ctx.%s", asks[n->ask]);
	return arena_printf(a, "ctx.%s%s", input_name(n->fact), input_kind(n->fact) == FACT_YES_NO ? "?" : "");
}

static const char *all_called(struct arena *a, const struct who_reads *reads)
{
	const char *list = "", *last = "";
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
		const char *name = is_read(&needs[i], reads) ? called(a, &needs[i]) : last;
		if (strcmp(name, last))
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", name);
		last = name;
	}
	return list;
}

static int no_types(struct arena *a, struct diags *d, const char *policy, const struct who_reads *reads, int error)
{
	if (error != ENOENT)
		return diag_fail(d, error_hint(a, error, "may /sys/kernel/btf/vmlinux be read?"),
		                 "cannot read this kernel's types, by which '%s' reads %s: %s", policy, all_called(a, reads), strerror(error));
	return diag_fail(d, "use a kernel with CONFIG_DEBUG_INFO_BTF=y (/sys/kernel/btf/vmlinux is there), or leave these questions out",
	                 "this kernel does not tell its types (BTF), by which '%s' reads %s", policy, all_called(a, reads));
}

int who_readable(struct arena *a, struct diags *d, const char *policy, const struct who_reads *reads)
{
	struct kernel_field field;
	const struct need *lacks = NULL;
	if (!reads->facts && !reads->asks)
		return 0;
	struct kernel_types *types = kernel_types_open();
	if (!types)
		return no_types(a, d, policy, reads, errno);
	for (size_t i = 0; i < sizeof needs / sizeof *needs && !lacks; i++)
		if (is_read(&needs[i], reads) && !kernel_field(types, needs[i].type, needs[i].field, &field))
			lacks = &needs[i];
	kernel_types_close(types);
	if (!lacks)
		return 0;
	return diag_fail(d, lacks->config ? arena_printf(a, "use a kernel with %s, or leave the question out", lacks->config)
	                                  : "leave the question out, and please report this kernel's version",
	                 "this kernel has no %s.%s: '%s' asks for %s, which it does not tell", lacks->type, lacks->field, policy,
	                 called(a, lacks));
}

/* ---- by which way --------------------------------------------------------------------------------- */

#define MOV_IMM(reg, value) {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (value)}
#define MOV_REG(reg, from) {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (reg), .src_reg = (from)}
#define CALL(function) {.code = BPF_JMP | BPF_CALL, .imm = (function)}
#define EXIT {.code = BPF_JMP | BPF_EXIT}

static bool loads(const struct bpf_insn *insns, size_t n)
{
	struct bpf_prog_load_opts opts = {.sz = sizeof opts, .expected_attach_type = BPF_CGROUP_DEVICE};
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "devguard_try", "Dual MIT/GPL", insns, n, &opts);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

uint32_t who_features(void)
{
	const struct bpf_insn typed[] = {CALL(BPF_FUNC_get_current_task_btf), MOV_IMM(0, 1), EXIT};
	const struct bpf_insn copied[] = {
		CALL(BPF_FUNC_get_current_task), MOV_REG(3, 0), MOV_IMM(2, 8), MOV_REG(1, 10),
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = -8}, CALL(BPF_FUNC_probe_read_kernel), MOV_IMM(0, 1), EXIT};
	struct rlimit before;
	memlock_raise(&before);
	uint32_t ways = (loads(typed, sizeof typed / sizeof *typed) ? FEATURE_TASK_BTF : 0) |
	                (loads(copied, sizeof copied / sizeof *copied) ? FEATURE_TASK_READ : 0);
	setrlimit(RLIMIT_MEMLOCK, &before);
	return ways;
}

/* ---- for `doctor` ------------------------------------------------------------------------------------- */

static const char *lacking(struct arena *a, struct kernel_types *types)
{
	struct kernel_field field;
	const char *list = "", *last = "";
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
		const char *name = kernel_field(types, needs[i].type, needs[i].field, &field) ? last : called(a, &needs[i]);
		if (strcmp(name, last))
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", name);
		last = name;
	}
	return list;
}

void who_check(struct arena *a, struct host_check *c)
{
	struct kernel_types *types = kernel_types_open();
	c->state = HOST_WARN;
	if (!types) {
		c->found = "the kernel's types (BTF) are not there: policies cannot ask for ctx.exe, ctx.euid, ctx.in_group? ...";
		c->fix = "use a kernel with CONFIG_DEBUG_INFO_BTF=y: it has the file /sys/kernel/btf/vmlinux";
		return;
	}
	const char *lacks = lacking(a, types), *closed = kernel_closed();
	uint32_t ways = closed ? 0 : who_features();
	kernel_types_close(types);
	if (closed) {
		c->found = arena_printf(a, "not known: %s", closed);
		c->fix = privilege_hint(a);
	} else if (!ways) {
		c->found = "programs may not read the calling task: what policies ask of it is denied";
		c->fix = "use Linux 6.1 or later, or boot without lockdown=confidentiality";
	} else if (*lacks) {
		c->found = arena_printf(a, "this kernel does not tell %s", lacks);
		c->fix = "use a kernel with CONFIG_AUDIT=y, CONFIG_MMU=y, CONFIG_CGROUPS=y";
	} else if (!(ways & FEATURE_TASK_READ)) {
		c->found = "in_group? is denied to callers in many groups: bpf_probe_read_kernel is forbidden";
		c->fix = "boot without lockdown=confidentiality, or leave it: what is not told is denied";
	} else {
		c->state = HOST_OK;
		c->found = ways & FEATURE_TASK_BTF ? "read by the kernel's types" : "read by bpf_probe_read_kernel";
	}
}
