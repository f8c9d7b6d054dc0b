/*
 * system.c - small kernel files, mounts, capabilities, the kernel's version and
 * helpers. Nothing here reports: callers know what a failure means to them.
 */
#include "cgroup/internal.h"
#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/capability.h>
#include <linux/membarrier.h>

#ifndef CAP_BPF /* <linux/capability.h> before 5.8 */
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

int file_write(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int error = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	return -error;
}

int file_read(int dir, const char *path, char *buf, size_t size)
{
	buf[0] = '\0';
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t len = read_whole(fd, buf, size - 1);
	close(fd);
	if (len < 0)
		return (int)len;
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return (int)len;
}

int mounts_read(struct arena *a, struct mount **list, size_t *n)
{
	struct mount *items = NULL;
	size_t cap = 0;
	*list = NULL;
	*n = 0;
	/* the lines of mountinfo in the form that getmntent(3) reads */
	FILE *f = setmntent("/proc/self/mounts", "re");
	if (!f && errno == ENOMEM)
		arena_fail(a);
	if (!f)
		return errno;
	struct mntent entry;
	char line[16384];
	while (getmntent_r(f, &entry, line, sizeof line)) {
		if (strcmp(entry.mnt_type, "cgroup") && strcmp(entry.mnt_type, "cgroup2") &&
		    strcmp(entry.mnt_type, "bpf") && strcmp(entry.mnt_type, "tracefs"))
			continue;
		struct mount *m = ARENA_PUSH(a, items, *n, cap);
		*m = (struct mount){
			.point = arena_strdup(a, entry.mnt_dir),
			.type = arena_strdup(a, entry.mnt_type),
			.read_only = hasmntopt(&entry, "ro") != NULL,
		};
	}
	int error = ferror(f) ? EIO : 0;
	endmntent(f);
	*list = items;
	return error;
}

bool capable(int cap)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	if (syscall(SYS_capget, &header, data))
		return false;
	return data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

/* The inode number of the initial user namespace is fixed (PROC_USER_INIT_INO of the
 * kernel); the map of uids is no sign, another namespace may map every uid to itself. Where
 * there is no such file there are no user namespaces. */
bool initial_user_namespace(void)
{
	struct stat st;
	return stat("/proc/self/ns/user", &st) || st.st_ino == 0xeffffffd;
}

bool ordinary_user_namespace(void)
{
	char map[4096];
	unsigned long long inside, outside, count, uid = geteuid();
	int used;
	if (initial_user_namespace() || file_read(AT_FDCWD, "/proc/self/uid_map", map, sizeof map) < 0)
		return false;
	for (const char *p = map; sscanf(p, "%llu %llu %llu%n", &inside, &outside, &count, &used) == 3; p += used)
		if (uid >= inside && uid - inside < count)
			return outside + (uid - inside) != 0;
	return false;
}

const char *kernel_closed(void)
{
	if (!capable(CAP_SYS_ADMIN) && !(capable(CAP_NET_ADMIN) && capable(CAP_BPF)))
		return geteuid() ? "not root" : "root without CAP_SYS_ADMIN";
	return initial_user_namespace() ? NULL : "root of a user namespace only";
}

void memlock_raise(struct rlimit *before)
{
	if (getrlimit(RLIMIT_MEMLOCK, before))
		*before = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};
	if (setrlimit(RLIMIT_MEMLOCK, &most)) {
		most.rlim_cur = most.rlim_max = before->rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &most);
	}
}

bool kernel_before(unsigned major, unsigned minor)
{
	struct utsname u;
	unsigned have = 0, have_minor = 0;
	uname(&u);
	sscanf(u.release, "%u.%u", &have, &have_minor);
	return have < major || (have == major && have_minor < minor);
}

const struct helper fact_helpers[FACT_HELPERS] = {
#define HELPER(id, function, facts, slots, major, minor) {BPF_FUNC_##function, facts, major, minor},
#include "policy/facts.def"
};

bool fact_offered(const struct helper *f)
{
	/* comm takes a buffer on the stack; the others ignore it */
	const struct bpf_insn insns[] = {
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8},
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -16},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = -16},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 16},
		{.code = BPF_JMP | BPF_CALL, .imm = f->number},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_load_opts opts = {.sz = sizeof opts, .expected_attach_type = BPF_CGROUP_DEVICE};
	struct rlimit before;
	memlock_raise(&before);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "devguard_try", "GPL", insns,
	                       sizeof insns / sizeof *insns, &opts);
	setrlimit(RLIMIT_MEMLOCK, &before);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

const char *fact_hint(struct arena *a, const struct helper *f, const char *facts)
{
	/* since 7.1 comm wants a capability that CAP_BPF does not stand for */
	if (!kernel_before(f->major, f->minor) && !capable(CAP_PERFMON) && !capable(CAP_SYS_ADMIN))
		return "give the process CAP_PERFMON, or run it as root";
	return arena_printf(a, "policies that ask for %s need Linux %u.%u or later", facts, f->major,
	                    f->minor);
}

const char *error_hint(struct arena *a, int error, const char *otherwise)
{
	switch (error) {
	case EPERM:
	case EACCES: return privilege_hint(a);
	case EMFILE: return "raise the limit of open files (ulimit -n)";
	case ENFILE: return "the host has no file descriptors left: see sysctl fs.file-nr";
	case ENOMEM: return "free memory, or raise the memory limit of this process's cgroup";
	case ENOSPC:
	case EDQUOT: return "make room there";
	default: return otherwise;
	}
}

void wait_for_programs(void)
{
	enum { GRACE_NS = 50000000 };
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0)) /* not where ticks are off */
		nanosleep(&(struct timespec){.tv_nsec = GRACE_NS}, NULL);
}

const char *shell_word(struct arena *a, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@+=,%";
	if (*word && strspn(word, plain) == strlen(word))
		return word;
	char *quoted = arena_alloc(a, 4 * strlen(word) + 3), *to = quoted;
	*to++ = '\'';
	for (; *word; word++)
		to = *word == '\'' ? stpcpy(to, "'\\''") : (*to = *word, to + 1);
	*to = '\'';
	return quoted;
}

const char *privilege_hint(struct arena *a)
{
	/* CAP_SYS_ADMIN stands for the two others as well */
	if (!capable(CAP_SYS_ADMIN))
		return arena_printf(a, "run it as root; missing here: %s%sCAP_SYS_ADMIN",
		                    capable(CAP_BPF) ? "" : "CAP_BPF, ",
		                    capable(CAP_NET_ADMIN) ? "" : "CAP_NET_ADMIN, ");
	if (!initial_user_namespace())
		return "root of a user namespace may not do this: run it as root of the host";
	/* programs and maps are locked memory there */
	if (kernel_before(5, 11) && !capable(CAP_SYS_RESOURCE))
		return "give it CAP_SYS_RESOURCE or run it after `ulimit -l unlimited`";
	return "the capabilities are there: a seccomp filter, a security module or kernel "
	       "lockdown forbids it; see the kernel log";
}
