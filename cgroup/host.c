/*
 * host.c - what this host can do, for `doctor`.
 *
 * What can be tried is tried (programs and maps are loaded and closed, a scratch
 * cgroup is made and removed) rather than read off a version: distributions carry
 * features back. Every check stands for itself, so that one that fails hides no
 * other. A check fails when policies cannot be enforced, and warns when something
 * that policies may use is missing.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/capability.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "cgroup/library.h"
#include "cgroup/who.h"

#define PREFIX "devguard-doctor"

typedef struct bpf_insn insn;
#define MOV_IMM(reg, value) {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (value)}
#define MOV_REG(reg, from) {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (reg), .src_reg = (from)}
#define ADD_IMM(reg, value) {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (reg), .imm = (value)}
#define CALL(helper) {.code = BPF_JMP | BPF_CALL, .imm = (helper)}
#define EXIT {.code = BPF_JMP | BPF_EXIT}

static void result(struct host_check *c, enum host_state state, const char *found, const char *fix)
{
	c->state = state;
	c->found = found;
	c->fix = fix;
}

/* Loads a device program made of these instructions: fd or -errno. */
static int load(const insn *insns, size_t n)
{
	struct bpf_prog_load_opts opts = {.sz = sizeof opts, .expected_attach_type = BPF_CGROUP_DEVICE};
	return bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "devguard_doctor", "GPL", insns, n, &opts);
}

static int load_allow_all(void)
{
	const insn insns[] = {MOV_IMM(0, 1), EXIT};
	return load(insns, 2);
}

/* ---- this process and this kernel ------------------------------------------------- */

static void check_privileges(struct arena *a, struct host_check *c)
{
	static const struct {
		int cap;
		const char *name;
		bool needed;
	} wanted[] = {{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", true},
	              {CAP_MKNOD, "CAP_MKNOD (test and check ask the kernel by mknod)", false},
	              {CAP_SETUID, "CAP_SETUID (test cases with uid=)", false},
	              {CAP_SETGID, "CAP_SETGID (test cases with gid=)", false}};
	const char *missing = "";
	bool needed = false;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		if (capable(wanted[i].cap))
			continue;
		missing = arena_printf(a, "%s%s%s", missing, *missing ? ", " : "", wanted[i].name);
		needed |= wanted[i].needed;
	}
	if (!initial_user_namespace())
		result(c, HOST_FAIL, "in a user namespace, where no BPF program can be loaded",
		       "run it in the host's user namespace, as root");
	else if (*missing)
		result(c, needed ? HOST_FAIL : HOST_WARN,
		       arena_printf(a, "uid %u, missing: %s", (unsigned)geteuid(), missing),
		       needed ? arena_printf(a, "%s; check, compile, eval and test need no privileges", privilege_hint(a))
		              : "give the process these capabilities too");
	else
		result(c, HOST_OK,
		       arena_printf(a, "uid %u with all capabilities needed%s", (unsigned)geteuid(),
		                    capable(CAP_SYS_RESOURCE) || !kernel_before(5, 11)
		                            ? ""
		                            : " (without CAP_SYS_RESOURCE: raise ulimit -l)"), NULL);
}

static void check_kernel(struct arena *a, struct host_check *c)
{
	struct utsname u;
	uname(&u);
	const char *found = arena_printf(a, "Linux %s", u.release);
	if (kernel_before(5, 10))
		result(c, HOST_FAIL, found, "upgrade to Linux 5.10 or later");
	else
		result(c, HOST_OK, found, NULL);
}

static void check_program(struct arena *a, struct host_check *c)
{
	int fd = load_allow_all();
	if (fd >= 0) {
		close(fd);
		result(c, HOST_OK, "loads", NULL);
	} else if (fd == -ENOSYS) {
		result(c, HOST_FAIL, "this kernel has no bpf system call",
		       "use a kernel with CONFIG_BPF_SYSCALL=y and CONFIG_CGROUP_BPF=y");
	} else if (fd == -EPERM || fd == -EACCES) {
		result(c, HOST_FAIL, "no permission to load programs", privilege_hint(a));
	} else {
		result(c, HOST_FAIL, arena_printf(a, "does not load: %s", strerror(-fd)),
		       "use a kernel with CONFIG_CGROUP_BPF=y, 5.10 or later");
	}
}

/* A check whose answer is not to be had without the privilege to load. */
static bool not_permitted(struct arena *a, struct host_check *c, int error)
{
	if (error != -EPERM && error != -EACCES)
		return false;
	result(c, HOST_WARN, "not known: no permission to ask", privilege_hint(a));
	return true;
}

static void check_facts(struct arena *a, struct host_check *c)
{
	const struct helper *missing = NULL;
	const char *have = "", *lack = "";
	int fd = load_allow_all();
	if (fd < 0 && not_permitted(a, c, fd))
		return;
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < FACT_HELPERS; i++) {
		bool offered = fact_offered(&fact_helpers[i]);
		const char **list = offered ? &have : &lack;
		*list = arena_printf(a, "%s%s%s", *list, **list ? " " : "", fact_helpers[i].facts);
		if (!offered)
			missing = &fact_helpers[i];
	}
	if (!missing)
		result(c, HOST_OK, have, NULL);
	else
		result(c, HOST_WARN, arena_printf(a, "%s; missing: %s", *have ? have : "none", lack),
		       fact_hint(a, missing, "these"));
}

static void check_retval(struct arena *a, struct host_check *c)
{
	const insn insns[] = {CALL(BPF_FUNC_get_retval), MOV_IMM(1, -EACCES), CALL(BPF_FUNC_set_retval),
	                      MOV_IMM(0, 1), EXIT};
	int fd = load(insns, sizeof insns / sizeof *insns);
	if (fd >= 0) {
		close(fd);
		result(c, HOST_OK, "other programs' verdicts can be seen", NULL);
	} else {
		int plain = load_allow_all();
		if (plain < 0 && not_permitted(a, c, plain))
			return;
		if (plain >= 0)
			close(plain);
		result(c, HOST_WARN, "other programs' verdicts cannot be seen, EPERM is the only errno",
		       "Linux 5.18 or later has bpf_get_retval and bpf_set_retval");
	}
}

static void check_ringbuf(struct arena *a, struct host_check *c)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "devguard_doctor", 0, 0, (uint32_t)getpagesize(),
	                        NULL);
	if (fd >= 0) {
		close(fd);
		result(c, HOST_OK, "denials can be reported", NULL);
	} else if (!not_permitted(a, c, fd)) {
		result(c, HOST_WARN, arena_printf(a, "no such map: %s", strerror(-fd)),
		       "denials cannot be reported; Linux 5.8 or later has ring buffers");
	}
}

/* The kernel must take BTF: programs without it are refused by program_load(). */
static void check_btf(struct arena *a, struct host_check *c)
{
	struct btf *btf = btf__new_empty();
	uint32_t size = 0;
	const void *data = NULL;
	if (btf && btf__add_int(btf, "int", 4, BTF_INT_SIGNED) > 0)
		data = btf__raw_data(btf, &size);
	int fd = data ? bpf_btf_load(data, size, NULL) : -ENOMEM;
	btf__free(btf);
	const char *vmlinux = access("/sys/kernel/btf/vmlinux", R_OK)
	                              ? "taken (the kernel's own is not there, and not needed)"
	                              : "taken, and the kernel's own is there";
	if (fd >= 0) {
		close(fd);
		result(c, HOST_OK, vmlinux, NULL);
	} else if (!not_permitted(a, c, fd)) {
		result(c, HOST_FAIL, arena_printf(a, "the kernel takes none: %s", strerror(-fd)),
		       "use a kernel with CONFIG_BPF_SYSCALL=y, 5.10 or later");
	}
}

static void check_jit(struct arena *a, struct host_check *c)
{
	char value[16];
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info;
	int fd = load_allow_all();
	bool jited = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.jited_prog_len;
	if (fd >= 0)
		close(fd);
	if (file_read(AT_FDCWD, "/proc/sys/net/core/bpf_jit_enable", value, sizeof value) < 0)
		snprintf(value, sizeof value, "%s", fd < 0 ? "not known" : jited ? "1" : "0");
	if (jited || *value == '1' || *value == '2')
		result(c, HOST_OK, arena_printf(a, "on (net.core.bpf_jit_enable = %s)", value), NULL);
	else
		result(c, HOST_WARN, arena_printf(a, "off (net.core.bpf_jit_enable = %s): slower", value),
		       "sysctl net.core.bpf_jit_enable=1");
}

static void check_unprivileged(struct arena *a, struct host_check *c)
{
	char value[16];
	if (file_read(AT_FDCWD, "/proc/sys/kernel/unprivileged_bpf_disabled", value, sizeof value) < 0)
		result(c, HOST_OK, "not known to this kernel", NULL);
	else if (*value == '0')
		result(c, HOST_WARN, "every user may load programs (kernel.unprivileged_bpf_disabled = 0)",
		       "sysctl kernel.unprivileged_bpf_disabled=1");
	else
		result(c, HOST_OK, arena_printf(a, "no (kernel.unprivileged_bpf_disabled = %s)", value), NULL);
}

static void check_stats(struct arena *a, struct host_check *c)
{
	char value[16];
	(void)a;
	if (file_read(AT_FDCWD, "/proc/sys/kernel/bpf_stats_enabled", value, sizeof value) < 0)
		result(c, HOST_OK, "not kept by this kernel", NULL);
	else if (*value == '0')
		result(c, HOST_OK, "not kept; kernel.bpf_stats_enabled=1 keeps them, at a small cost", NULL);
	else
		result(c, HOST_OK, "kept (kernel.bpf_stats_enabled = 1), at a small cost", NULL);
}

/* ---- hierarchies and file systems ------------------------------------------------------ */

static void check_hierarchy(struct arena *a, struct host_check *c)
{
	const char *mount = cgroup_mount(a);
	if (mount)
		result(c, HOST_OK, arena_printf(a, "%s%s", mount, cgroup_hybrid(a) ? " (hybrid)" : ""), NULL);
	else
		result(c, HOST_FAIL, cgroup_hybrid(a) ? "only v1 hierarchies are mounted" : "none is mounted",
		       "mount -t cgroup2 none /sys/fs/cgroup, or boot with "
		       "systemd.unified_cgroup_hierarchy=1");
}

static void check_writable(struct arena *a, struct host_check *c)
{
	const char *mount = cgroup_mount(a);
	if (!mount)
		result(c, HOST_FAIL, "there is no hierarchy", "mount -t cgroup2 none /sys/fs/cgroup");
	else if (!faccessat(AT_FDCWD, mount, W_OK, AT_EACCESS))
		result(c, HOST_OK, "yes", NULL);
	else if (errno == EROFS)
		result(c, HOST_WARN, "no: mounted read-only, as in most containers",
		       "run it on the host, or mount it writable");
	else
		result(c, HOST_WARN, arena_printf(a, "no: %s", strerror(errno)), "run it as root");
}

static void check_scratch(struct arena *a, struct host_check *c)
{
	struct diags d;
	struct cgroup *cg;
	const char *mount = cgroup_mount(a);
	diags_init(&d, a);
	if (mount)
		transient_sweep(mount, PREFIX);
	if (transient_new(a, &d, NULL, PREFIX, &cg)) {
		result(c, HOST_FAIL, d.items[0].text, d.items[0].hint);
		return;
	}
	int fd = load_allow_all();
	int error = fd < 0 ? fd : bpf_prog_attach(fd, cg->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI);
	if (fd >= 0)
		close(fd);
	transient_end(cg);
	if (!error)
		result(c, HOST_OK, "a program was attached to a scratch cgroup", NULL);
	else if (error == -EPERM || error == -EACCES)
		result(c, HOST_FAIL, "no permission to attach to a scratch cgroup", privilege_hint(a));
	else
		result(c, HOST_FAIL, arena_printf(a, "cannot attach to a scratch cgroup: %s",
		                                  strerror(-error)),
		       "use a kernel with CONFIG_CGROUP_BPF=y, 5.10 or later");
}

static void check_bpffs(struct arena *a, struct host_check *c)
{
	struct mount *mounts;
	size_t n;
	mounts_read(a, &mounts, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(mounts[i].type, "bpf")) {
			result(c, HOST_OK, mounts[i].point, NULL);
			return;
		}
	result(c, HOST_WARN, "not mounted: nothing can be pinned",
	       "mount -t bpf bpf /sys/fs/bpf");
}

/* Only transient cgroups are made by it, and mkdir does as well: never more than a note. */
static void check_library(struct arena *a, struct host_check *c)
{
	const char *why, *mount = cgroup_mount(a);
	char controllers[512] = "";
	if (!library_works(&why)) {
		result(c, HOST_OK, arena_printf(a, "sees no hierarchy (%s): mkdir is used", why), NULL);
		return;
	}
	if (mount)
		file_read(AT_FDCWD, arena_printf(a, "%s/cgroup.controllers", mount), controllers,
		          sizeof controllers);
	controllers[strcspn(controllers, " ")] = '\0';
	if (*controllers && library_sees(mount, controllers))
		result(c, HOST_OK, arena_printf(a, "sees the v2 hierarchy (by its %s controller)", controllers),
		       NULL);
	else
		result(c, HOST_OK, "does not see the v2 hierarchy (it has no controller): mkdir is used", NULL);
}

void host_checks(struct arena *a, struct host_check **list, size_t *n)
{
	static const struct {
		const char *what;
		void (*run)(struct arena *a, struct host_check *c);
	} checks[] = {
		{"privileges", check_privileges},
		{"kernel", check_kernel},
		{"device programs", check_program},
		{"type information (BTF)", check_btf},
		{"facts about the caller", check_facts},
		{"facts about the calling task", who_check},
		{"return values", check_retval},
		{"ring buffer", check_ringbuf},
		{"JIT compiler", check_jit},
		{"unprivileged BPF", check_unprivileged},
		{"run counts", check_stats},
		{"cgroup v2 hierarchy", check_hierarchy},
		{"hierarchy writable", check_writable},
		{"attach", check_scratch},
		{"BPF file system", check_bpffs},
		{"libcgroup", check_library},
	};
	*n = sizeof checks / sizeof *checks;
	*list = arena_alloc(a, *n * sizeof **list);
	struct rlimit before;
	memlock_raise(&before);
	for (size_t i = 0; i < *n; i++) {
		(*list)[i].what = checks[i].what;
		checks[i].run(a, &(*list)[i]);
	}
	setrlimit(RLIMIT_MEMLOCK, &before);
}
